"""The kept statement over all audits is the one that would be made now."""

from __future__ import annotations

import uuid
from datetime import date, timedelta
from threading import Thread

import pytest

from audits.queries import fleet_kept
from audits.queries.fleet import fleet
from audits.queries.fleet_kept import kept_fleet
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
    monkeypatch.setattr(fleet_kept, "fleet", None)
    assert outcomes(kept_fleet()) == outcomes(first)


def test_two_runs_that_change_places_are_seen():
    _, run = worlds.judged(worlds.u_lira())
    queued, failed = another(run, "QUEUED", 1), another(run, "FAILED", 2)
    before = outcomes(kept_fleet())
    queued.update(status="FAILED")
    failed.update(status="QUEUED")
    assert outcomes(kept_fleet()) == outcomes(fleet()) != before


def test_visitors_of_many_periods_do_not_trip_over_one_another(monkeypatch):
    monkeypatch.setattr(fleet_kept, "_token", lambda: ())
    monkeypatch.setattr(fleet_kept, "fleet", lambda **_: object())
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
