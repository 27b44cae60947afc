"""Answers are counted for each caller, over versions and processes, and a day may have a limit."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from io import StringIO
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.template.loader import render_to_string
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audits.models import QueryCount, QueryReport, VersionQueries
from audits.queries.query_counts import caller_key, use_of
from audits.queries.serving import ReaderNotGiven, VersionNotHere
from audits.services.query_counts import (
    DayRefused,
    NotOfModel,
    Report,
    ReportChanged,
    add_report,
    forget_counts,
)
from audits.services.serving import give_version
from expunge.connection import KeyNotAccepted, PlatformAway, ReportRefused
from expunge.guard import ServingGuard
from expunge.queries import Counting, QueryLimitReached, digest_of
from tests.audits.world import ADA, BERT
from tests.lineage.remote import key

HALVES = [[0.25, 0.75]]
OWN = ("serve", "serve:next")  # the scopes of a server of the controller's own
ALICE, BOB = "alice@example.org", "bob@example.org"
NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)


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


# --- in the process ----------------------------------------------------------------------


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


# --- on the platform ------------------------------------------------------------------------


@pytest.fixture
def base(world):
    """A version of a model, which the shop was given."""
    made = world.bare("base", world.snapshot(ADA, BERT))
    give_version(reader="shop", version_id=made.pk, now=NOW)
    return made


def report(**more: Any):  # noqa: ANN401  (fields of Report)
    told = {"id": uuid4(), "reader": "shop", "model_name": "base", "day": NOW.date()}
    return Report(**{**told, "answers": {"a" * 32: 2}, **more})


@pytest.mark.django_db
def test_a_report_is_added_once_however_often_it_comes(world, base):
    one = report()
    for _ in range(2):
        assert add_report(report=one, now=NOW) == {"a" * 32: 2}
    assert add_report(report=report(answers={"a" * 32: 5}), now=NOW) == {"a" * 32: 7}
    with pytest.raises(ReportChanged, match="said something else"):
        add_report(report=report(id=one.id, answers={"a" * 32: 3}), now=NOW)
    add_report(report=report(answers={"b" * 32: 1}), now=NOW)
    out = StringIO()
    call_command("queries", "base", stdout=out)
    assert out.getvalue() == "2026-11-26  8 answers, 2 callers, at most 7 each\n"
    with pytest.raises(CommandError, match="Not here: the model other"):
        call_command("queries", "other")


@pytest.mark.django_db
def test_what_a_version_answered_is_added_once_and_shown_beside_its_model(world, base, settings):
    settings.EXPUNGE_QUERIES_PER_DAY = 50
    told, next_day = report(served={base.pk: 2}), NOW + timedelta(days=1)
    for _ in range(2):
        add_report(report=told, now=NOW)
    add_report(report=report(), now=NOW)  # of a client that does not tell versions
    add_report(report=report(day=next_day.date(), served={base.pk: 2}), now=next_day)
    use = use_of(base)
    assert [(one.day, one.answers) for one in use.days] == [
        (next_day.date(), 2),
        (NOW.date(), 2),
    ]
    assert [one.of_model and one.of_model.answers for one in use.days] == [2, 4]
    assert (use.reported_at, use.limit) == (next_day, 50)
    page = "audits/_version_use.html"
    assert "Answers that it gave" in render_to_string(page, {"use": use})
    settings.EXPUNGE_QUERIES_PER_DAY = 0
    assert "Answers to named callers" in render_to_string(page, {"use": use_of(base)})
    other = world.bare("other", world.snapshot(ADA))
    with pytest.raises(NotOfModel, match="no version of base"):
        add_report(report=report(served={other.pk: 1}), now=NOW)
    assert use_of(other).days == []
    newer = world.bare("base", world.snapshot(BERT))
    with pytest.raises(NotOfModel, match="no version of base that shop was given"):
        add_report(report=report(served={newer.pk: 1}), now=NOW)


@pytest.mark.django_db
def test_days_that_are_over_go_and_are_not_taken(world, base, settings):
    settings.EXPUNGE_QUERY_DAYS = 2
    add_report(report=report(), now=NOW)
    assert forget_counts(now=NOW + timedelta(days=2)) == 0
    with pytest.raises(DayRefused, match="day is 2026-11-26; allowed are 2026-11-27 to"):
        add_report(report=report(), now=NOW + timedelta(days=3))
    with pytest.raises(DayRefused):
        add_report(report=report(day=date(2026, 11, 28)), now=NOW)
    assert forget_counts(now=NOW + timedelta(days=3)) == 1
    assert not QueryReport.objects.exists()


@pytest.mark.django_db
def test_two_models_have_two_keys_and_a_model_must_be_there(world, base):
    assert caller_key("base") == caller_key("base") != caller_key("other")
    with pytest.raises(VersionNotHere, match="Not here: the model other"):
        add_report(report=report(model_name="other"), now=NOW)


@pytest.mark.django_db
def test_nobody_counts_for_a_model_that_they_were_not_given(world, base):
    add_report(report=report(), now=NOW)
    with pytest.raises(ReaderNotGiven, match="bank was given no version of base"):
        add_report(report=report(reader="bank"), now=NOW)
    assert QueryCount.objects.get().answers == 2
    world.bare("other", world.snapshot(ADA))
    with pytest.raises(ReaderNotGiven):
        add_report(report=report(model_name="other"), now=NOW)


@pytest.mark.django_db(transaction=True)
def test_how_callers_are_counted_is_told_to_who_was_given_the_model(live_server, world, base):
    guards = [
        ServingGuard(url=live_server.url, api_key=key(*OWN, name=name), version=str(base.pk))
        for name in ("shop", "bank")
    ]
    assert guards[0]._connection.get("models/base/counting")["model"] == "base"
    with pytest.raises(KeyNotAccepted, match="bank was given no version"):
        guards[1]._connection.get("models/base/counting")
    body = {"report": str(uuid4()), "model": "base", "day": str(timezone.now().date())}
    with pytest.raises(KeyNotAccepted, match="bank was given no version"):
        guards[1]._connection.post("queries", {**body, "answers": []})


@pytest.mark.django_db(transaction=True)
def test_who_was_given_a_version_cannot_use_up_the_limit_of_others(live_server, world, base):
    partner = ServingGuard(
        url=live_server.url, api_key=key("serve", name="shop"), version=str(base.pk)
    )
    body = {"report": str(uuid4()), "model": "base", "day": str(timezone.now().date())}
    spoiled = {**body, "answers": [{"caller": "a" * 32, "answers": 1_000_000}]}
    with pytest.raises(KeyNotAccepted, match="does not have the scope serve:next; it has serve"):
        partner._connection.post("queries", spoiled)
    with pytest.raises(KeyNotAccepted, match="does not have the scope serve:next"):
        partner._connection.get("models/base/counting")
    partner.answer(HALVES, caller=ALICE)
    assert not QueryCount.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_limit_holds_over_versions_and_processes(world, base, live_server, settings):
    settings.EXPUNGE_QUERIES_PER_DAY = 3
    newer = world.bare("base", world.snapshot(BERT))
    secret = key(*OWN, name="shop")
    first, second = (
        ServingGuard(url=live_server.url, api_key=secret, version=str(one.pk), every=0)
        for one in (base, newer)
    )
    first.answer(HALVES * 2, caller=ALICE)
    second.answer(HALVES[0], caller=ALICE)
    with pytest.raises(QueryLimitReached):
        second.answer(HALVES, caller=ALICE)
    second.answer(HALVES * 3)  # nobody named is one caller
    with pytest.raises(QueryLimitReached):
        second.answer(HALVES)
    assert sorted(QueryCount.objects.values_list("answers", flat=True)) == [3, 3]
    assert not QueryCount.objects.filter(caller__contains="alice").exists()
    by_version = VersionQueries.objects.values_list("version", "answers")
    assert dict(by_version) == {base.pk: 2, newer.pk: 4}
    assert set(QueryCount.objects.values_list("day", flat=True)) == {timezone.now().date()}


@pytest.mark.django_db(transaction=True)
def test_without_a_limit_only_those_who_are_named_are_counted(world, base, live_server):
    guard = ServingGuard(url=live_server.url, api_key=key(*OWN), version=str(base.pk))
    guard.answer(HALVES)
    assert guard.counting is None
    guard.answer(HALVES, caller=BOB)
    guard.close()
    assert QueryCount.objects.get().answers == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("answers", [{"caller": ALICE, "answers": 1}]),
        ("answers", [{"caller": "a" * 32, "answers": 0}]),
        ("answers", [{"caller": "a" * 32, "answers": 1}] * 2),
        ("report", "seven"),
        ("day", "someday"),
        ("model", ""),
    ],
)
def test_a_report_that_is_none_is_refused_and_no_name_is_repeated(
    live_server, field, value, world, base
):
    guard = ServingGuard(url=live_server.url, api_key=key(*OWN), version=str(base.pk))
    body = {"report": str(uuid4()), "model": "base", "day": "2026-11-26", "answers": []}
    with pytest.raises(ReportRefused, match=field) as refused:
        guard._connection.post("queries", {**body, field: value})
    assert "alice" not in str(refused.value)
