"""A process counts its answers for each caller, and tells the platform."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from expunge.connection import KeyNotAccepted, PlatformAway, ReportRefused
from expunge.queries import Counting, QueryLimitReached, digest_of
from tests.audits.callers import ALICE, BOB


class Platform:
    """Adds up what is reported, once for each report; away while it is told to be."""

    def __init__(self) -> None:
        self.away = self.lost = False
        self.reports: dict[str, Any] = {}
        self.totals: dict[Any, int] = {}

    def get(self, address):
        if self.away:
            raise PlatformAway("nobody there")
        return {"model": "faces", "key": "ab" * 32}

    def post(self, address, body):
        if self.away:
            raise PlatformAway("nobody there")
        if self.reports.setdefault(body["report"], body) != body:
            raise AssertionError("a report was changed")
        added: dict[Any, int] = {}
        for one in self.reports.values():
            for told in one["answers"]:
                of = one["day"], told["caller"]
                added[of] = added.get(of, 0) + told["answers"]
        self.totals = added
        if self.lost:
            raise PlatformAway("the answer was lost")
        callers = [one["caller"] for one in body["answers"]]
        return {"limit": 0, "totals": {who: added[body["day"], who] for who in callers}}


def counting(platform, **more: Any):  # noqa: ANN401  (fields of Counting)
    return Counting(connection=platform, model="faces", **{"every": 0, **more})


def test_a_caller_is_refused_before_the_answer_that_is_one_too_many():
    counts = counting(Platform(), today=lambda: date(2026, 11, 26))
    counts.count(ALICE, 2, 3)
    with pytest.raises(QueryLimitReached, match="3 answers of faces in a day") as refused:
        counts.count(ALICE, 2, 3)
    assert refused.value.until == datetime(2026, 11, 27, tzinfo=UTC)
    assert ALICE not in str(refused.value)
    counts.count(ALICE, 1, 3)
    counts.count(BOB, 3, 3)
    assert (counts.used(ALICE), counts.used(BOB)) == (3, 3)


def test_a_new_day_begins_from_nothing():
    day = [date(2026, 11, 26)]
    counts = counting(Platform(), today=lambda: day[0])
    counts.count(ALICE, 3, 3)
    day[0] += timedelta(days=1)
    counts.count(ALICE, 3, 3)
    assert counts.used(ALICE) == 3


def test_a_platform_that_is_away_does_not_stop_the_counting():
    platform = Platform()
    counts = counting(platform)
    platform.away = True
    counts.count(ALICE, 2, 3)
    with pytest.raises(QueryLimitReached):
        counts.count(ALICE, 2, 3)
    platform.away = False
    counts.count(ALICE, 1, 3)
    assert sorted(platform.totals.values()) == [3]


def test_what_others_counted_counts_too():
    platform = Platform()
    one, other = counting(platform), counting(platform)
    one.count(ALICE, 2, 3)
    other.count(ALICE, 1, 3)
    assert other.used(ALICE) == 3
    with pytest.raises(QueryLimitReached):
        other.count(ALICE, 1, 3)


def test_nobody_is_named_to_the_platform_and_days_stay_apart():
    platform = Platform()
    counting(platform).count(ALICE, 1, 0)
    assert ALICE not in str(platform.reports)
    monday, tuesday = date(2026, 11, 23), date(2026, 11, 24)
    assert digest_of(b"k", monday, ALICE) != digest_of(b"k", tuesday, ALICE)
    assert digest_of(b"k", monday, ALICE) == digest_of(b"k", monday, ALICE)


@pytest.mark.parametrize(
    ("address", "answer"),
    [
        ("get", ReportRefused("no such model")),
        ("get", {"model": "faces"}),
        ("get", {"model": "faces", "key": "no hex"}),
        ("get", RuntimeError("something else")),
        ("post", {"detail": "welcome to this network"}),
        ("post", {"totals": {"unknown": 1}}),
        ("post", {"totals": None}),
    ],
)
def test_an_answer_does_not_fail_because_counting_does(address, answer, caplog):
    def given(*_: object):
        if isinstance(answer, Exception):
            raise answer
        return answer

    platform: Any = Platform()
    setattr(platform, address, given)
    counts = counting(platform)
    counts.count(ALICE, 1, 3)
    assert "Counts of faces" in caplog.text
    assert ALICE not in caplog.text
    refused = isinstance(answer, ReportRefused)
    assert counts.used(ALICE) == (0 if refused else 1)
    delattr(platform, address)
    counts.count(ALICE, 1, 3)
    assert sorted(platform.totals.values()) == [1 if refused else 2]


def test_a_process_whose_key_may_not_report_holds_the_limit_by_its_own_count(caplog):
    def refused(*_: object):
        raise KeyNotAccepted("no scope serve:next")

    platform, day = Platform(), [date(2026, 11, 26)]
    counts = counting(platform, today=lambda: day[0])
    platform.get = refused  # type: ignore[method-assign]
    counts.count(ALICE, 2, 3)
    with pytest.raises(QueryLimitReached):
        counts.count(ALICE, 2, 3)
    counts.count(ALICE, 1, 3)
    assert (counts.used(ALICE), platform.reports) == (3, {})
    assert "stay of this process alone: no scope" in caplog.text
    day[0] += timedelta(days=1)
    counts.count(BOB, 3, 3)
    assert (list(counts._told), counts._new) == ([(day[0], BOB)], {})  # nothing piles up


calls = st.lists(
    st.tuples(
        st.sampled_from(["alice", "bob", "cleo"]),
        st.integers(0, 5),
        st.sampled_from(["here", "away", "lost"]),
        st.booleans(),
    ),
    max_size=20,
)


# A busy machine draws slowly, which is no fault of what is drawn.
@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(calls)
def test_whatever_is_lost_on_the_way_every_answer_is_added_once(made):
    platform, day = Platform(), [date(2026, 11, 1)]
    counts = counting(platform, today=lambda: day[0])
    expected: dict[str, int] = {}
    for who, answers, state, midnight in made:
        platform.away, platform.lost = state == "away", state == "lost"
        day[0] += timedelta(days=midnight)
        counts.count(who, answers, 0)
        expected[who] = expected.get(who, 0) + answers
    platform.away = platform.lost = False
    counts.report()
    assert sum(platform.totals.values()) == sum(expected.values())
