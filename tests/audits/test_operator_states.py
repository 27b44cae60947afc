"""No order in which three members of staff act gets a record out of training without two."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st
from pyroaring import BitMap

from audits.models import ErasureRequest, OperatorCase
from audits.queries.forget_sets import forget_set
from audits.queries.operator_cases import chosen_of, digest_of
from audits.services import operator_cases, removal
from audits.services.transitions import ALLOWED, MoveNotAllowed
from lineage.models import OrdinalSpace
from tests.audits.operator_worlds import new_case, staff
from tests.audits.test_transitions import undone
from tests.audits.world import NOW, events, person

pytestmark = [pytest.mark.django_db, pytest.mark.database]

NAMES = ("ann", "bea", "carl")
BY_STAFF = ("choose", "propose", "send_back", "approve", "drop")


@pytest.fixture
def case(signing_key):
    person("ada@example.org", records=6)
    space = OrdinalSpace.objects.get()
    new = new_case(space, seeds=[1, 2], reason="EXPIRED_CONSENT")
    return operator_cases.open_case(new=new, user=staff("ann"), now=NOW)


def act(case, action, name, ordinals):
    """Do one thing as one member of staff; True if it was refused."""
    more: dict[str, Any] = {"now": NOW}
    if action == "restrict":
        done = lambda: removal.restrict_chosen(case_id=case.pk, now=NOW)  # noqa: E731
    else:
        if action == "choose":
            more = {"ordinals": BitMap(ordinals)}
        if action == "approve":
            more |= {"digest": digest_of(OperatorCase.objects.get(pk=case.pk))}
        done = lambda: getattr(operator_cases, action)(  # noqa: E731
            case_id=case.pk, user=staff(name), **more
        )
    try:
        with transaction.atomic():
            done()
    except (MoveNotAllowed, operator_cases.NotYourApproval):
        return True
    return False


steps = st.tuples(
    st.sampled_from([*BY_STAFF, "restrict"]),
    st.sampled_from(NAMES),
    st.sets(st.integers(0, 5), min_size=1, max_size=3),
)


def usual():
    """The usual way, whoever goes it, with other things before: mere chance hardly gets there."""
    ways = [
        st.tuples(st.just(action), st.sampled_from(NAMES), st.just({3}))
        for action in ("choose", "propose", "approve", "restrict")
    ]
    parts = [part for way in ways for part in (st.lists(steps, max_size=1), way.map(alone))]
    return st.tuples(*parts).map(lambda drawn: [step for part in drawn for step in part])


def alone(step):
    return [step]


@given(actions=st.lists(steps, max_size=8) | usual())
@examples(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_nothing_leaves_the_training_before_a_second_pair_of_eyes(case, actions):
    with undone():
        took_part = {"ann"}
        for action, name, ordinals in actions:
            before = ErasureRequest.objects.get(pk=case.pk)
            refused = act(case, action, name, ordinals)
            after = ErasureRequest.objects.get(pk=case.pk)
            if not refused and action in ("choose", "propose"):
                took_part |= {name} if before.status == "DRAFT" else set()
            if before.status != after.status:
                assert not refused
                assert before.status in ALLOWED[after.status]
            check(case, took_part)


def check(case, took_part):
    now = OperatorCase.objects.select_related("request", "approved_by", "space").get(pk=case.pk)
    approved = now.request.status in ("APPROVED", "RESTRICTED")
    assert approved == (now.approved_by is not None)
    if now.approved_by:
        assert now.approved_by.username not in took_part
        assert "forget_set_approved" in events(now.request)
    held = forget_set(case.pk)
    assert bool(held) == (now.request.status == "RESTRICTED")
    if held:
        assert held == {now.space: chosen_of(now)}


def test_a_case_that_two_have_agreed_on_is_restricted(case):
    assert not act(case, "propose", "ann", ())
    assert act(case, "approve", "ann", ())
    assert not act(case, "approve", "bea", ())
    assert not act(case, "restrict", "bea", ())
    check(case, {"ann"})
    assert forget_set(case.pk) == {case.space: BitMap([1, 2])}
