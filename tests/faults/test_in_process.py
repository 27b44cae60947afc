"""The cheap part of the faults: messages that ring again, and an end at every line of the log.

What needs real processes is ``python -m tests.faults``. The invariants are the same.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.utils import timezone

from audits.services import letter_delivery, log
from audits.workflow import tasks
from lineage.models import Job
from lineage.services import jobs
from lineage.services.jobs import JobNotClaimable
from tests.audits.world import ADA, BERT, LEASE, World, events
from tests.faults import inspect

if TYPE_CHECKING:
    from audits.models import ErasureRequest

pytestmark = pytest.mark.database


class Died(BaseException):
    """The process is gone; nothing of the software catches that."""


@pytest.fixture
def trained(world):
    world.train("base", world.snapshot(ADA, BERT))
    return world


def whole(world: World, case: ErasureRequest) -> None:
    """Assert what the long form asserts of every case."""
    case = world.current(case)
    assert (case.status, case.outcome, case.email) == ("SEALED", "ERASED", "")
    assert inspect._twice(case) == []
    assert inspect._unpaired(case) == []
    assert inspect._versions() == inspect._journal() == inspect._missing() == []
    assert inspect._after_sweeping() == []
    assert inspect._command("fsck") == []


def test_messages_that_ring_three_times_do_nothing_twice(trained, monkeypatch):
    """A second worker comes to each job while the first has it, and once more when it is over."""
    once, refused = World.run, []

    def run(self, job):
        def second():
            with pytest.raises(JobNotClaimable):
                jobs.claim_job(job_id=job.pk, now=timezone.now(), lease=LEASE)
            refused.append(job.pk)

        real = jobs.claim_job

        def claim(**named: Any):  # noqa: ANN401
            claimed = real(**named)
            monkeypatch.setattr(jobs, "claim_job", real)
            second()
            return claimed

        monkeypatch.setattr(jobs, "claim_job", claim)
        done = once(self, job)
        second()
        for _ in range(2):
            with self.commit(execute=True):
                tasks.job_ended(str(job.pk))
        return done

    monkeypatch.setattr(World, "run", run)
    case = trained.accepted()
    for _ in range(3):
        trained.wake(case)
    trained.work()
    whole(trained, case)
    assert len(refused) == 2 * Job.objects.exclude(kind="TRAIN").count()


@pytest.mark.parametrize("written", [False, True], ids=["before an event", "after an event"])
def test_a_process_that_dies_at_every_event_leaves_a_case_whole(trained, monkeypatch, written):
    """Each event once meets an end of its process, before it is written or before the commit."""
    real, met = log.append, set()

    def append(**named: Any):  # noqa: ANN401
        data = named.get("data") or {}
        # A run and an opening that were rolled back have other numbers when they are made again.
        about = [str(data[name]) for name in ("artefact", "letter") if name in data]
        key = (named["type"], *about)
        first = key not in met
        met.add(key)
        leaf = real(**named) if written or not first else None
        if first:
            raise Died
        return leaf

    monkeypatch.setattr(jobs, "DEFAULT_ATTEMPTS", 100)
    case = trained.accepted()
    monkeypatch.setattr(log, "append", append)
    for _ in range(200):
        try:
            trained.work()
            trained.wake(case)
        except Died:
            later = timezone.now() + 2 * LEASE
            jobs.take_back_lapsed(now=later, lease=timedelta(days=1))
            continue
        if not Job.objects.filter(status="QUEUED").exists():
            break
    assert len(met) > 12, met
    # Whoever died with a letter in hand leaves it for five minutes; it may have left before.
    letter_delivery.deliver_waiting(now=timezone.now() + 2 * letter_delivery.CLAIM)
    trained.wake(case)
    case = trained.current(case)
    states = list(Job.objects.values_list("key", "status", "error_code", "attempt"))
    assert "case_sealed" in events(case), (case.status, case.failure, states)
    whole(trained, case)
