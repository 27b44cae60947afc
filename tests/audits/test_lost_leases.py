"""Every kind of job loses its lease, and goes on as if it had not.

A first claim is lost before any commit, the next after one commit, then after four, sixteen, and
so on, until one ends the job: not after each commit that there is.

A process that stood still comes back in the middle of its job, while the next claim of that job
waits or works. Nothing that it does may be kept, and the next claim must find its way from
whatever was kept before. ``tests/machines`` does the same to real machines.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partialmethod
from itertools import count
from typing import TYPE_CHECKING

import pytest
from django.core import mail
from django.core.management import CommandError, call_command
from django.db import connections
from django.utils import timezone
from pyroaring import BitMap

from audits import workflow
from audits.execution import edition_files, editions, reporting
from audits.management.commands import run_job as command
from audits.models import Letter, LogLeaf, PlanPreview
from audits.services.operator_cases import NewCase
from audits.workflow import doorbell, tasks
from lineage.models import Job
from lineage.services import jobs, tiles
from lineage.services.fence import fenced
from tests.audits.searches import tune
from tests.audits.test_places import registered
from tests.audits.world import ADA, BERT, LEASE, World, accept_now, officer
from tests.faults.test_in_process import whole

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.django_db(transaction=True)
WRITE_REPORT = edition_files.write_all  # which the world leaves out


def given_away(job: Job) -> Job:
    """Do what the sweep and another machine do while the holder stands still; no fence asks."""
    wrapper = connections["default"]
    commit = vars(wrapper).pop("commit")
    asked, wrapper.execute_wrappers = wrapper.execute_wrappers, []
    try:
        later = timezone.now() + 2 * LEASE
        jobs.take_back_lapsed(now=later, lease=2 * LEASE)
        return jobs.claim_job(job_id=job.pk, now=timezone.now(), lease=LEASE)
    finally:
        wrapper.execute_wrappers = asked
        vars(wrapper)["commit"] = commit


@dataclass
class Losing:
    """Does jobs: a first claim is lost at once, others after one commit, four, sixteen..."""

    monkeypatch: pytest.MonkeyPatch
    lost: dict[str, int] = field(default_factory=dict)
    late: list[str] = field(default_factory=list)  # who wrote after the job was taken back

    def run(self, world: World, job: Job) -> Job:
        """Do one job, by as many claims as it takes; the last one is not lost."""
        claimed = jobs.claim_job(job_id=job.pk, now=timezone.now(), lease=LEASE)
        given: list[Job] = []
        for one in count():
            given = []
            with self._lost_after(4**one // 4, given):
                call = ("run_job", str(job.pk), "--holder", str(claimed.holder))
                if not self._told(call):
                    break
            (claimed,) = given
            self.lost[job.kind] = one + 1
        assert not given, f"{job.kind} was lost, and nobody said so"
        job.refresh_from_db()
        assert job.status == "SUCCEEDED", (job.kind, job.error)
        if job.then:
            with world.commit(execute=True):
                tasks.job_ended(str(job.pk))
        return job

    def _told(self, call: tuple[str, ...]) -> bool:
        try:
            call_command(*call)
        except CommandError as said:
            if "was taken back while it was done" not in str(said):
                raise
            return True
        return False

    @contextmanager
    def _lost_after(self, commits: int, given: list[Job]) -> Iterator[None]:
        wrapper, kept = connections["default"], 0

        @contextmanager
        def losing(job: Job) -> Iterator[None]:
            real = wrapper.commit

            def commit() -> None:
                nonlocal kept
                self.late += [job.kind] * len(given)
                real()
                kept += 1
                if kept == commits:
                    given.append(given_away(job))
                    real()

            with self.monkeypatch.context() as patched:
                patched.setattr(wrapper, "commit", commit)
                with fenced(job):
                    if not commits:
                        given.append(given_away(job))
                    yield

        with self.monkeypatch.context() as patched:
            patched.setattr(command, "fenced", losing)
            yield


def told() -> tuple[object, ...]:
    """What was done so far: events, jobs and letters."""
    letters = Letter.objects.order_by("pk").values_list("pk", "state", "claimed_at")
    return LogLeaf.objects.count(), Job.objects.count(), *letters


class Twice:
    """A sweep that stands still after each commit that did something, while another is done.

    That one does so as well, and at last all go on, one after another.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.monkeypatch, self.inside = monkeypatch, 0

    def sweep(self) -> None:
        wrapper, before = connections["default"], told()
        real = wrapper.commit

        def commit() -> None:
            nonlocal before
            real()
            with self.monkeypatch.context() as other:
                other.setattr(wrapper, "commit", real)
                other.setattr(wrapper, "run_on_commit", [])
                other.setattr(wrapper, "run_commit_hooks_on_set_autocommit_on", False)
                wrapper.set_autocommit(True)
                if told() != before:
                    self.inside += 1
                    self.sweep()
                before = told()

        with self.monkeypatch.context() as patched:
            patched.setattr(wrapper, "commit", commit)
            tasks.sweep()


@pytest.fixture
def losing(world, approximate, monkeypatch):
    """A world whose jobs are all lost many times, and whose reports are of a few bytes."""
    found = Losing(monkeypatch)
    monkeypatch.setattr(World, "run", partialmethod(_by, found))
    monkeypatch.setattr(jobs, "DEFAULT_ATTEMPTS", 100)
    monkeypatch.setattr(edition_files, "write_all", WRITE_REPORT)
    monkeypatch.setattr(reporting, "rendered", lambda *_a, **_k: (b"a report", {}))
    monkeypatch.setattr(editions, "person", lambda *_a, **_k: b"an answer")
    monkeypatch.setattr(tiles, "_FEWEST", 1)
    return found


def _by(world: World, losing: Losing, job: Job) -> Job:
    return losing.run(world, job)


def test_no_kind_of_job_writes_anything_once_it_was_taken_back(world, lot, losing):
    version = world.train("base", world.snapshot(ADA, BERT))
    tune(lot, "--trials", "1")
    doorbell.queue_tiles(timezone.now())
    registered("accounts")
    world.wake(world.ask("nobody@example.org"))
    seeds = {world.dataset.space: BitMap([0])}
    workflow.preview_plan(
        version_id=version.pk, by=PlanPreview.By.RECORDS, forget=seeds, user=officer()
    )
    new = NewCase(
        reason="POISONED",
        disposal="KEEP",
        space=world.dataset.space,
        version=version,
        seeds=BitMap(range(4)),
    )
    world.wake(workflow.open_case(new=new, user=officer()).request)
    whole(world, world.erased())
    assert losing.late == []
    assert losing.lost.keys() == command.HANDLERS.keys()
    assert min(losing.lost.values()) > 1


def test_two_sweeps_at_once_do_nothing_twice_and_bring_a_case_to_its_end(
    world, monkeypatch, caplog
):
    """The messages are lost, so that each step of the case is taken by a sweep."""
    world.train("base", world.snapshot(ADA, BERT))
    twice, asked = Twice(monkeypatch), world.submit()
    workflow.confirm(token=asked.confirm_token)
    case = world.current(asked.request)
    twice.sweep()
    accept_now(case.pk, now=timezone.now())
    twice.sweep()
    while job := Job.objects.filter(status="QUEUED").first():
        jobs.claim_job(job_id=job.pk, now=timezone.now(), lease=LEASE)
        call_command("run_job", str(job.pk))
        twice.sweep()
    whole(world, case)
    assert twice.inside > 8
    subjects = [one.subject for one in mail.outbox]
    assert sorted(subjects) == sorted(set(subjects))
    assert "failed" not in caplog.text
