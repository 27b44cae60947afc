"""What waits, and the weeks of the trends, against the plain way: every case, one by one."""

from __future__ import annotations

import random
from collections import defaultdict
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from audits.models import (
    Decision,
    DuplicateFinding,
    ErasureRequest,
    Release,
    VersionException,
)
from audits.queries import attention, clocks
from audits.queries.trends import trends
from lineage.models import ModelVersion, OrdinalSpace
from tests.audits.bare_cases import empty_version
from tests.audits.world import member
from unlearning.models import UnlearningRun

pytestmark = pytest.mark.django_db
S = ErasureRequest.Status
STATES = (S.VERIFIED, S.FAILED, S.RESTRICTED, S.DRAFT, S.PROPOSED, S.AUDITING, S.SEALED, S.EXPIRED)
NOW = timezone.now()
SOON = timedelta(days=7)


def case(number, **fields: Any):  # noqa: ANN401  (of the model)
    given = {"due_rule": "ART_12_3", "received_at": NOW, **fields}
    return ErasureRequest(reference=f"ER-{number}", status_digest=str(number), **given)


def crowd(seed):
    """Cases in every state, many of them due on the same day and received at the same moment."""
    draw, today = random.Random(seed), clocks.today(NOW)
    space = OrdinalSpace.objects.create(name="crowd")
    by = member("proposer", "Case officer"), member("another", "Case officer")
    found = ErasureRequest.objects.bulk_create(
        case(
            number,
            status=draw.choice(STATES),
            due_on=draw.choice([None, *(today + timedelta(days=day) for day in (-1, 0, 7, 8))]),
            received_at=NOW - timedelta(days=draw.randrange(3)),
        )
        for number in range(160)
    )
    Decision.objects.bulk_create(
        Decision(request=one, kind="ACCEPT", proposed_by=draw.choice(by), proposed_at=NOW)
        for one in found
        if draw.random() < 0.4
    )
    DuplicateFinding.objects.bulk_create(
        DuplicateFinding(
            request=one,
            space=space,
            forget_ordinal=1,
            other_ordinal=2,
            kind="EXACT",
            distance=0,
            decision=draw.choice(["", "KEEP"]),
        )
        for one in found
        if draw.random() < 0.5
    )
    versions_of(found, space, by, draw)
    return by[0]


def versions_of(cases, space, by, draw):
    """Runs on two versions, each for two cases: some wait, of some the result is held.

    Exceptions for a version of a case are proposed or approved, be it waited for or not.
    """
    targets = empty_version("one"), empty_version("other")
    results = ModelVersion.objects.bulk_create(
        ModelVersion(
            model_name="result",
            version=number,
            state=draw.choice(["CANDIDATE", "ACTIVE"]),
            generated_by=targets[0].generated_by,
            generated_at=NOW,
        )
        for number in range(40)
    )
    runs = UnlearningRun.objects.bulk_create(
        UnlearningRun(
            target=draw.choice(targets),
            unlearned=unlearned,
            method="finetune",
            seed=1,
            space=space,
            forget_bitmap=b"",
            forget_count=0,
            status="SUCCEEDED" if unlearned else "WAITING",
            created_at=NOW,
        )
        for unlearned in (*results, *[None] * 60)
    )
    Release.objects.bulk_create(
        Release(run=run, state=draw.choice(["HELD", "RELEASED"]), created_at=NOW)
        for run in runs
        if run.unlearned and draw.random() < 0.7
    )
    for run in runs:
        run.requests.set(draw.sample(cases, 2))
    VersionException.objects.bulk_create(
        VersionException(
            request=one,
            version=version,
            code="ART_17_3_E",
            until=NOW.date(),
            proposed_by=draw.choice(by),
            proposed_at=NOW,
            approved_at=draw.choice([None, *[NOW] * 4]),
        )
        for one in cases
        for version in targets
        if draw.random() < 0.3
    )


def stop_of(one):
    """The group that an open case stands in, if any, by what is said of it."""
    excepted = one.version_exceptions.filter(approved_at=None).exists()
    if one.status == S.PROPOSED or excepted or one.decisions.filter(state="PROPOSED").exists():
        return attention.SECOND
    if one.status in (S.FAILED, S.VERIFIED):
        return attention.FAILED if one.status == S.FAILED else attention.DECIDE
    if one.status == S.RESTRICTED and one.duplicates.filter(decision="").exists():
        return attention.DUPLICATES
    if any(stuck(run, one) for run in one.runs.all()):
        return attention.VERSIONS
    return attention.DRAFT if one.status == S.DRAFT else None


def stuck(run, case):
    """Whether somebody has to say what becomes of the version of a run, or of its result."""
    if run.status == "WAITING":
        stays = case.version_exceptions.exclude(approved_at=None).filter(version=run.target)
        return not stays.exists()
    held = Release.objects.filter(run=run, state="HELD").exists()
    return held and run.unlearned.state == "CANDIDATE"


def plainly(user, today):
    groups = defaultdict(list)
    pressing = set(clocks.unanswered().values_list("pk", flat=True))
    for one in ErasureRequest.objects.exclude(status__in=(S.SEALED, S.EXPIRED)):
        groups[stop_of(one)].append(one)
    for one in ErasureRequest.objects.filter(pk__in=pressing):
        if one.due_on <= today + SOON:
            groups[attention.OVERDUE if one.due_on < today else attention.SOON].append(one)
    for code in attention.CODES:
        rows = sorted(
            groups[code],
            key=lambda one: (one.due_on is None, one.due_on, one.received_at, one.pk),
        )
        for one in rows[: attention.SHOWN]:
            own = one.decisions.filter(state="PROPOSED", proposed_by=user).exists()
            own |= one.version_exceptions.filter(approved_at=None, proposed_by=user).exists()
            yield code, one.pk, len(rows), own


@pytest.mark.parametrize("seed", range(3))
def test_what_waits_is_what_a_look_at_every_case_finds(seed):
    user, today = crowd(seed), clocks.today(NOW)
    found = attention.waiting_cases(user, today, today + SOON)
    told = [(one.group, one.case.pk, one.of_all, one.own) for one in found]
    assert told == list(plainly(user, today))
    assert {code for code, *_ in told} == {*attention.CODES}
    assert {own for *_, own in told} == {True, False}


def test_a_week_begins_at_midnight_on_monday_where_the_clock_runs():
    zone = ZoneInfo(clocks.place().zone)
    now = datetime(2026, 11, 11, 12, tzinfo=zone)  # summer time ended within the twelve weeks
    mondays = trends(now).weeks
    moments = [
        datetime.combine(day, time(), zone) + timedelta(microseconds=part)
        for day in (*mondays, mondays[-1] + timedelta(weeks=1))
        for part in (-1, 0, 1)
    ]
    ErasureRequest.objects.bulk_create(
        case(number, received_at=at) for number, at in enumerate(moments)
    )
    plain: dict[date, int] = defaultdict(int)
    for at in moments:
        day = at.astimezone(zone).date()
        plain[day - timedelta(days=day.weekday())] += 1
    assert trends(now).requests == {day: plain[day] for day in mondays}
