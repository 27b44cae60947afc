"""The kept statement over all audits is the one that would be made now."""

from __future__ import annotations

import uuid
from datetime import date, timedelta
from threading import Thread

import pytest

from audits.queries import fleet_kept
from audits.queries.fleet import fleet
from audits.queries.fleet_kept import kept_fleet
from audits.queries.questions import questions_of
from tests.audits.views import worlds
from unlearning.models import UnlearningRun

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def nothing_kept():
    fleet_kept.forget()
    yield
    fleet_kept.forget()


def another(run, status, days):
    """One more run of the version, planned earlier."""
    copy = UnlearningRun.objects.get(pk=run.pk)
    copy.pk, copy._state.adding, copy.status = uuid.uuid4(), True, status
    copy.unlearned = None
    copy.created_at = run.created_at - timedelta(days=days)
    copy.save(force_insert=True)
    return UnlearningRun.objects.filter(pk=copy.pk)


def outcomes(found):
    return [(one.run.pk, one.outcome) for one in found.questions]


def test_a_statement_is_not_made_again_while_nothing_happens(monkeypatch):
    worlds.judged(worlds.u_lira())
    first = kept_fleet()
    monkeypatch.setattr(fleet_kept, "fleet_of", None)
    assert outcomes(kept_fleet()) == outcomes(first)


def test_only_the_runs_that_something_happened_to_are_read_again(monkeypatch):
    case, run = worlds.judged(worlds.u_lira())
    queued = another(run, "QUEUED", 1)
    kept_fleet()
    read = []

    def reading(runs):
        read.append([one.pk for one in runs])
        return questions_of(runs)

    monkeypatch.setattr(fleet_kept, "questions_of", reading)
    queued.update(status="FAILED")
    assert outcomes(kept_fleet()) == outcomes(fleet())
    queued.get().requests.add(case)
    assert [one.of for one in kept_fleet().questions] == [one.of for one in fleet().questions]
    assert read == [[queued.get().pk]] * 2
    assert outcomes(kept_fleet(since=date(2100, 1, 1))) == []


def test_two_runs_that_change_places_are_seen():
    _, run = worlds.judged(worlds.u_lira())
    queued, failed = another(run, "QUEUED", 1), another(run, "FAILED", 2)
    before = outcomes(kept_fleet())
    queued.update(status="FAILED")
    failed.update(status="QUEUED")
    assert outcomes(kept_fleet()) == outcomes(fleet()) != before


def test_visitors_of_many_periods_do_not_trip_over_one_another(monkeypatch):
    monkeypatch.setattr(fleet_kept, "_marks", lambda *_: {})
    monkeypatch.setattr(fleet_kept, "level_of_error", lambda: 0.05)
    monkeypatch.setattr(fleet_kept, "fleet_of", lambda *_, **__: object())
    failures = []

    def visit(start):
        try:
            for year in range(start, start + 400):
                kept_fleet(since=date(year, 1, 1))
        except KeyError as error:
            failures.append(error)

    visitors = [Thread(target=visit, args=(1000 * one,)) for one in range(1, 5)]
    for one in visitors:
        one.start()
    for one in visitors:
        one.join()
    assert failures == []
    assert len(fleet_kept._kept) <= fleet_kept.MOST
