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
from expunge.connection import KeyNotAccepted, ReportRefused
from expunge.guard import ServingGuard
from expunge.queries import QueryLimitReached
from tests.audits.callers import ALICE, BOB
from tests.audits.world import ADA, BERT
from tests.lineage.remote import key

HALVES = [[0.25, 0.75]]
OWN = ("serve", "serve:next")  # the scopes of a server of the controller's own
NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)


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
