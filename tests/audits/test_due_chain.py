"""A budget makes no case late: not those that a run serves, and not those that come behind."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st
from pyroaring import BitMap

from audits.core.budgets import Behind, Limits, cannot_wait, must_be_through
from audits.models import ErasureRequest
from audits.queries import due_chain
from audits.queries.due_chain import must_begin, one_outlook
from lineage.core.bitmaps import encode
from lineage.models import Restriction
from tests.audits.bare_cases import queued_run, verified_case
from tests.audits.coalescing import age
from unlearning.models import UnlearningRun

NOW = timezone.now()
HOUR = 3600.0
# What an audit by the usual policy may train: two arms of 32 and 20 models of the instance test.
AUDITED = 64 + 20

CASES = st.lists(
    st.tuples(st.sets(st.sampled_from("abcdef"), max_size=3), st.floats(0, 90), st.floats(0, 3)),
    max_size=6,
)


def behind(known):
    """Which cases wait for a change of version a, or for who does: found pair by pair."""
    found: set[int] = set()
    for _ in known:
        for place, (versions, _due, _days) in enumerate(known):
            before = [{"a"}, *(known[one][0] for one in found)]
            if any(versions & one for one in before):
                found.add(place)
    return [known[place] for place in sorted(found)]


def all_in_time(known, start, days, due):
    """Do everything one after the other from a day on, and see whether anybody is late."""
    clock = start + days
    for _, case_due, needed in behind(known):
        if clock > due + 1e-6:
            return False
        due, clock = case_due, clock + needed
    return clock <= due + 1e-6


@given(known=CASES, days=st.floats(0, 3), due=st.floats(0, 90), lead=st.integers(1, 30))
def test_who_waits_can_still_be_through_with_everybody_behind(known, days, due, lead):
    cases = [
        Behind(
            versions=frozenset(versions),
            due=NOW + timedelta(days=case_due),
            seconds=needed * 24 * HOUR,
        )
        for versions, case_due, needed in known
    ]
    through = must_be_through(NOW + timedelta(days=due), ["a"], cases)
    seconds = days * 24 * HOUR
    if not cannot_wait(Limits(lead_days=lead), due=through, seconds=seconds, now=NOW):
        assert all_in_time(known, lead, days, due)
    else:  # nor does it begin before there is a reason
        twice = [(versions, case_due, 2 * needed) for versions, case_due, needed in known]
        assert not all_in_time(twice, lead, 2 * days + 1e-3, due)


# --- of real rows -------------------------------------------------------------------------------


def at_work(email, days, method="finetune"):
    """A case that came so many days ago, with a run on a version of its own."""
    case = age(verified_case(email), days)
    run = queued_run(case, method=method)
    ErasureRequest.objects.filter(pk=case.pk).update(status="UNLEARNING")
    UnlearningRun.objects.filter(pk=run.pk).update(retrain_seconds_predicted=HOUR)
    return run


@pytest.mark.django_db
def test_the_time_kept_free_is_that_of_the_training_its_audit_and_a_retraining():
    run = at_work("uma@example.org", 0)
    assert due_chain.Outlook().seconds_at_work == HOUR * (1 + AUDITED + 2)
    case = run.requests.get()
    age(case, 8)  # 15 days are left, 7 of them are the lead, and 7.25 the time
    assert not must_begin(run, Limits(), NOW)
    age(case, 9)
    assert must_begin(run, Limits(), NOW)
    UnlearningRun.objects.filter(pk=run.pk).update(method="retrain")
    assert due_chain.Outlook().seconds_at_work == HOUR * 2
    assert not must_begin(run, Limits(), NOW)


@pytest.mark.django_db
def test_the_work_of_other_cases_comes_before_it():
    run = at_work("uma@example.org", 15, method="retrain")  # 8 days are left
    assert not must_begin(run, Limits(), NOW)
    at_work("vic@example.org", 0)
    assert must_begin(run, Limits(), NOW)


@pytest.mark.django_db
def test_a_case_is_asked_cheaply_while_every_date_is_far_away(monkeypatch):
    run = at_work("uma@example.org", 0, method="retrain")
    monkeypatch.setattr(due_chain, "reached_by", None)
    assert not must_begin(run, Limits(), NOW)
    with pytest.raises(TypeError):
        must_begin(run, Limits(lead_days=30), NOW)


@pytest.mark.django_db
def test_what_it_takes_to_ask_does_not_grow_with_the_cases():
    run = at_work("uma@example.org", 20, method="retrain")
    restricted("wyn@example.org", run.space)
    first = asked(run)
    for name in ("vic", "wim", "xia"):
        restricted(f"{name}@example.org", run.space)
    assert asked(run) == first
    with one_outlook():
        asked(run)
        again = asked(run)
    assert again < first / 2  # of the next case of the same sweep


def asked(run):
    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert must_begin(run, Limits(), NOW)
    return len(queries)


def restricted(email, space):
    case = verified_case(email)
    ErasureRequest.objects.filter(pk=case.pk).update(status="RESTRICTED", accepted_at=NOW)
    bitmap = encode(BitMap([1]))
    Restriction.objects.create(
        id=uuid.uuid4(), space=space, case_id=case.pk, bitmap=bitmap, started_at=NOW
    )
