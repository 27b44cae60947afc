"""What the sweep does goes on although one part of it fails."""

from __future__ import annotations

import logging
from itertools import count
from typing import Any
from uuid import UUID

import pytest
from django.utils import timezone

from audits.models import ErasureRequest, SweepMark
from audits.queries.cases import cases_at_work
from audits.services import late
from audits.workflow import tasks
from audits.workflow.turn import FEWEST, SECONDS, Turn
from lineage.models import Job
from tests.audits.world import queued_run

pytestmark = pytest.mark.django_db


def test_a_damaged_chunk_does_not_stop_the_sweep(world, monkeypatch, caplog):
    advanced: list[Any] = []
    monkeypatch.setattr(late, "open_late_cases", lambda **_: 1 / 0)
    monkeypatch.setattr(tasks, "advance", advanced.append)
    case = world.accepted()
    advanced.clear()
    tasks.sweep()
    assert advanced == [case.pk]
    assert "a step of the sweep failed" in caplog.text


@pytest.mark.parametrize(("kind", "of_run"), [("PLAN", False), ("UNLEARN", True)])
def test_a_case_is_left_alone_while_it_waits_for_a_job_however_that_ends(world, kind, of_run):
    case = world.accepted()
    payload = queued_run(case, now=timezone.now()).pk if of_run else case.pk
    Job.objects.update(status="SUCCEEDED")
    assert case.pk in cases_at_work()
    job = Job.objects.create(
        key="k", kind=kind, queue="heavy", payload_id=payload, created_at=timezone.now()
    )
    assert case.pk not in cases_at_work()
    ErasureRequest.objects.filter(pk=case.pk).update(status="ON_HOLD", held_from="RESTRICTED")
    assert case.pk in cases_at_work()
    ErasureRequest.objects.filter(pk=case.pk).update(status="RESTRICTED")
    for status in ("SUCCEEDED", "FAILED", "CANCELLED"):
        Job.objects.filter(pk=job.pk).update(status=status)
        assert case.pk in cases_at_work()


def test_a_sweep_without_time_for_all_goes_round(caplog):
    cases = [UUID(int=number) for number in range(3 * FEWEST)]
    kept: list[UUID] = []
    turn = Turn(after=UUID(int=FEWEST // 2), keep=kept.append)
    seen: list[UUID] = []
    with caplog.at_level(logging.WARNING, logger="expunge.workflow"):
        for _ in range(3):
            # Each look at the clock is a second later.
            seen += turn.of(reversed(cases), clock=count().__next__)
    assert sorted(set(seen)) == cases
    assert seen[0] == UUID(int=FEWEST // 2 + 1)
    assert len(seen) == pytest.approx(3 * (FEWEST + SECONDS), abs=3)
    assert kept == seen
    assert ("leaves" in caplog.text, turn.left > 0) == (True, True)
    assert list(turn.of(cases[:2], clock=lambda: 0)) == cases[:2]
    assert turn.left == 0


def test_a_case_that_ends_the_process_does_not_hide_those_behind_it(world, monkeypatch):
    cases = sorted(UUID(int=number) for number in range(1, 4))
    looked_at: list[UUID] = []

    def die(case_id):
        looked_at.append(case_id)
        if case_id == cases[0]:
            raise SystemExit

    monkeypatch.setattr(tasks, "advance", die)
    monkeypatch.setattr(tasks, "SWEPT", ())
    monkeypatch.setattr("audits.queries.cases.cases_at_work", lambda: cases)
    with pytest.raises(SystemExit):
        tasks.sweep()
    with pytest.raises(SystemExit):  # in any other process
        tasks.sweep()
    assert looked_at == [*cases, cases[0]]
    mark = SweepMark.objects.get()
    assert (mark.after, mark.left) == (cases[0], 0)
