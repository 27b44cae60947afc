"""The job table: one holder at a time, nothing lost, attempts bounded."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest

from lineage.models import Job
from lineage.services import jobs
from lineage.services.jobs import JobNotClaimable, LeaseLost
from tests.lineage.queueing import LEASE, NOW, claim, make, status

pytestmark = pytest.mark.django_db
S = Job.Status


def test_a_key_makes_one_job():
    first = make(parameters={"look": 0})
    assert make(parameters={"look": 1}) == first
    assert Job.objects.get().parameters == {"look": 0}


def test_a_claimed_job_is_not_claimed_again():
    job = make()
    held = claim(job)
    assert (held.status, held.attempt, held.lease_until) == (S.RUNNING, 1, NOW + LEASE)
    with pytest.raises(JobNotClaimable):
        claim(job)
    with pytest.raises(JobNotClaimable):
        jobs.claim_job(job_id=uuid.uuid4(), now=NOW, lease=LEASE)


def test_a_claim_that_slept_past_its_lease_is_not_handed_out(monkeypatch):
    """Between the UPDATE and the SELECT the lease lapsed and somebody else has the job."""
    job = make()
    real = Job.objects.filter

    def lapsed(**wanted: object):
        return Job.objects.none() if "holder" in wanted else real(**wanted)

    monkeypatch.setattr(Job.objects, "filter", lapsed)
    with pytest.raises(JobNotClaimable):
        claim(job)


def test_progress_of_an_earlier_try_is_forgotten():
    held = claim(make())
    jobs.report_progress(job=held, phase="x" * 300, done=3, total=9)
    held.refresh_from_db()
    assert (len(held.phase), held.done, held.total) == (100, 3, 9)
    jobs.release_job(job=held, now=NOW)
    again = claim(held)
    assert (again.phase, again.done, again.total, again.attempt) == ("", 0, 0, 2)


def test_a_cancelled_job_is_left_at_once_or_by_its_holder():
    waiting, running = make("waiting"), make("running")
    held = claim(running)
    for job in (waiting, running):
        jobs.request_cancel(job_id=job.pk, now=NOW)
    assert (status(waiting), status(running)) == (S.CANCELLED, S.RUNNING)
    assert jobs.renew_lease(job=held, now=NOW, lease=LEASE) is True
    assert jobs.cancel_job(job=held, now=NOW)
    assert status(running) == S.CANCELLED


def test_whether_a_cancellation_changed_anything_is_told():
    waiting, running, over = make("waiting"), make("running"), make("over")
    claim(running)
    jobs.finish_job(job=claim(over), now=NOW)
    said = [
        [jobs.request_cancel(job_id=job.pk, now=NOW) for _ in range(2)]
        for job in (waiting, running, over)
    ]
    assert said == [[True, False], [True, False], [False, False]]
    assert Job.objects.get(pk=waiting.pk).ended_at == NOW


def test_a_job_that_was_to_stop_is_cancelled_when_its_worker_died():
    swept, released = claim(make("swept")), claim(make("released"))
    for job in (swept, released):
        jobs.request_cancel(job_id=job.pk, now=NOW)
    jobs.release_job(job=released, now=NOW)
    assert jobs.take_back_lapsed(now=NOW + 2 * LEASE, lease=LEASE) == 1
    assert (status(swept), status(released)) == (S.CANCELLED, S.CANCELLED)


def test_a_lease_from_before_the_clock_was_set_back_is_shortened_and_not_taken_away():
    """Or a worker that was killed would keep its job for the hour that the clock went back."""
    hour = timedelta(hours=1)
    held = claim(make(), NOW + hour)
    assert jobs.take_back_lapsed(now=NOW, lease=LEASE) == 0
    assert Job.objects.get().lease_until == NOW + LEASE
    jobs.renew_lease(job=held, now=NOW + LEASE / 2, lease=LEASE)  # whoever lives goes on
    assert jobs.take_back_lapsed(now=NOW + 1.25 * LEASE, lease=LEASE) == 0
    assert jobs.take_back_lapsed(now=NOW + 2 * LEASE, lease=LEASE) == 1
    assert status(held) == S.QUEUED


def test_a_job_that_was_rung_before_the_clock_was_set_back_is_rung_again():
    job = make()
    jobs.mark_rung(job_id=job.pk, now=NOW + timedelta(hours=1))
    assert jobs.jobs_to_ring(now=NOW, silence=LEASE) == [job]
    assert jobs.jobs_to_ring(now=NOW, silence=LEASE) == []


def test_what_an_earlier_release_queued_though_it_was_to_stop_is_not_handed_out():
    job = make()
    Job.objects.filter(pk=job.pk).update(cancel_requested=True)
    with pytest.raises(JobNotClaimable):
        claim(job)
    assert jobs.take_back_lapsed(now=NOW, lease=LEASE) == 1
    assert status(job) == S.CANCELLED
    assert jobs.retry_job(job_id=job.pk)
    assert claim(job).attempt == 1


def test_a_cancelled_retry_does_not_tell_the_failure_before_it():
    held = claim(make())
    jobs.fail_job(job=held, now=NOW, code="StoreFull", message="No room.")
    jobs.retry_job(job_id=held.pk)
    jobs.request_cancel(job_id=held.pk, now=NOW)
    held.refresh_from_db()
    assert (held.status, held.error_code, held.error) == (S.CANCELLED, "", "")


def test_a_job_that_always_dies_fails_with_what_to_look_at():
    job = make()
    for _ in range(jobs.DEFAULT_ATTEMPTS):
        jobs.release_job(job=claim(job), now=NOW)
    job.refresh_from_db()
    assert (job.status, job.error_code, job.attempt) == (S.FAILED, jobs.CHILD_DIED, 3)
    assert "worker's log" in job.error
    assert jobs.retry_job(job_id=job.pk)
    assert claim(job).attempt == 1


def test_an_error_is_kept_until_the_job_is_tried_again():
    held = claim(make())
    assert jobs.fail_job(job=held, now=NOW, code="StoreFull", message="No room." * 999)
    held.refresh_from_db()
    assert (held.error_code, len(held.error), held.holder) == ("StoreFull", 2_000, None)
    assert jobs.retry_job(job_id=held.pk)
    assert (claim(held).error, claim_error(held)) == ("", "")


def claim_error(job):
    return Job.objects.get(pk=job.pk).error_code


def test_only_stopped_jobs_are_retried():
    job = make()
    assert not jobs.retry_job(job_id=job.pk)
    held = claim(job)
    assert not jobs.retry_job(job_id=job.pk)
    jobs.finish_job(job=held, now=NOW)
    assert not jobs.retry_job(job_id=job.pk)


def test_whoever_lost_the_lease_is_told_and_changes_nothing():
    held = claim(make())
    late = NOW + LEASE + timedelta(seconds=1)
    assert jobs.take_back_lapsed(now=late, lease=LEASE) == 1
    other = claim(held, late)
    with pytest.raises(LeaseLost):
        jobs.renew_lease(job=held, now=late, lease=LEASE)
    jobs.report_progress(job=held, phase="mine", done=1, total=1)
    assert not jobs.finish_job(job=held, now=late)
    assert not jobs.fail_job(job=held, now=late, code="X", message="x")
    assert not jobs.cancel_job(job=held, now=late)
    jobs.release_job(job=held, now=late)
    other.refresh_from_db()
    assert (other.status, other.phase, other.attempt) == (S.RUNNING, "", 2)
    assert jobs.finish_job(job=other, now=late)


def test_a_lease_that_was_renewed_is_not_taken_back():
    held = claim(make())
    jobs.renew_lease(job=held, now=NOW + timedelta(seconds=59), lease=LEASE)
    assert jobs.take_back_lapsed(now=NOW + timedelta(seconds=118), lease=LEASE) == 0
    assert jobs.take_back_lapsed(now=NOW + timedelta(seconds=120), lease=LEASE) == 1


def test_a_job_is_rung_once_and_again_only_after_silence():
    job, silence = make(), timedelta(seconds=60)
    assert [jobs.mark_rung(job_id=job.pk, now=NOW) for _ in range(2)] == [True, False]
    assert jobs.jobs_to_ring(now=NOW + silence, silence=silence) == []
    late = NOW + silence + timedelta(seconds=1)
    assert jobs.jobs_to_ring(now=late, silence=silence) == [job]
    assert jobs.jobs_to_ring(now=late, silence=silence) == []


def test_what_is_claimed_or_over_is_never_rung():
    late = NOW + timedelta(days=1)
    running, over = make("running"), make("over")
    claim(running)
    jobs.finish_job(job=claim(over), now=NOW)
    assert jobs.jobs_to_ring(now=late, silence=LEASE) == []
    assert not jobs.mark_rung(job_id=over.pk, now=NOW)


def test_a_job_that_was_given_back_is_rung_at_once():
    job = make()
    jobs.mark_rung(job_id=job.pk, now=NOW)
    jobs.release_job(job=claim(job), now=NOW)
    assert jobs.jobs_to_ring(now=NOW, silence=LEASE) == [job]
