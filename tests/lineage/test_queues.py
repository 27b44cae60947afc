"""A paused queue hands out no job; what runs goes on; once resumed it hands out again."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta

import pytest

from lineage.core.queues import QueueUnknown
from lineage.models import Job
from lineage.queries.queues import SEEN_DAYS, SILENCE, queue_states
from lineage.services import jobs, queues
from lineage.services.jobs import JobNotClaimable

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
LEASE = timedelta(seconds=60)


def make(key, queue="heavy"):
    return jobs.create_job(key=key, kind="X", queue=queue, payload_id=uuid.UUID(int=1), now=NOW)


def claim(job):
    return jobs.claim_job(job_id=job.pk, now=NOW, lease=LEASE)


def state(name, now=NOW):
    return next(one for one in queue_states(now) if one.name == name)


def test_a_paused_queue_is_not_claimed_from_and_others_are():
    job, other = make("one"), make("two", "report")
    assert queues.pause_queue(queue="heavy", user=None, now=NOW)
    assert not queues.pause_queue(queue="heavy", user=None, now=NOW)
    with pytest.raises(JobNotClaimable):
        claim(job)
    job.refresh_from_db()
    assert (job.status, job.attempt, job.holder) == (Job.Status.QUEUED, 0, None)
    assert claim(other).status == Job.Status.RUNNING


def test_a_resumed_queue_is_claimed_from():
    job = make("one")
    queues.pause_queue(queue="heavy", user=None, now=NOW)
    assert queues.resume_queue(queue="heavy")
    assert not queues.resume_queue(queue="heavy")
    assert claim(job).status == Job.Status.RUNNING


def test_what_runs_when_a_queue_is_paused_ends_and_the_queue_is_drained():
    running = claim(make("one"))
    make("two")
    queues.pause_queue(queue="heavy", user=None, now=NOW)
    assert not state("heavy").drained
    assert not jobs.renew_lease(job=running, now=NOW, lease=LEASE)
    assert jobs.finish_job(job=running, now=NOW)
    assert state("heavy").drained
    assert (state("heavy").queued, state("heavy").running) == (1, 0)


def test_the_sweep_rings_for_no_job_of_a_paused_queue_and_for_all_once_it_is_resumed():
    job, other = make("one"), make("two", "report")
    jobs.mark_rung(job_id=job.pk, now=NOW)
    queues.pause_queue(queue="heavy", user=None, now=NOW)
    later = NOW + timedelta(hours=1)
    assert jobs.jobs_to_ring(now=later, silence=LEASE) == [other]
    queues.resume_queue(queue="heavy")
    assert jobs.jobs_to_ring(now=later, silence=LEASE) == [job]


def test_only_queues_of_jobs_can_be_paused():
    with pytest.raises(QueueUnknown, match="queue is 'intake'; allowed are lineage, heavy"):
        queues.pause_queue(queue="intake", user=None, now=NOW)
    with pytest.raises(QueueUnknown):
        queues.resume_queue(queue="nonsense")


def test_a_queue_is_silent_when_nobody_takes_its_jobs():
    make("one")
    assert not state("heavy", NOW + SILENCE).silent
    late = NOW + SILENCE + timedelta(seconds=1)
    assert state("heavy", late).silent
    assert state("heavy", late).oldest_since == NOW
    queues.pause_queue(queue="heavy", user=None, now=NOW)
    assert not state("heavy", late).silent


def test_a_queue_is_not_told_of_jobs_that_ended_long_ago():
    assert jobs.finish_job(job=claim(make("one")), now=NOW)
    assert state("heavy").seen_at == NOW
    assert state("heavy", NOW + timedelta(days=SEEN_DAYS, seconds=1)).seen_at is None


def test_queues_are_read_in_two_queries(django_assert_num_queries):
    for number in range(30):
        make(str(number), ("heavy", "report", "gpu")[number % 3])
    with django_assert_num_queries(2):
        found = queue_states(NOW)
    assert [(one.name, one.queued) for one in found] == [
        ("lineage", 0),
        ("heavy", 10),
        ("report", 10),
        ("gpu", 10),
    ]
