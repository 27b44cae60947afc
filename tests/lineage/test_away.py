"""Jobs whose store or database is away: they lose no attempt, and are patient."""

from __future__ import annotations

from datetime import timedelta

import pytest

from audits.workflow.run_steps import REPAIRABLE
from lineage.models import Job
from lineage.services import away, jobs
from tests.lineage.queueing import LEASE, NOW, claim, make

pytestmark = pytest.mark.django_db
S = Job.Status
TOOK = timedelta(seconds=10)


def given_back(job, now, *, who=away.STORE, took=TOOK):
    """Try it for as long as ``took``, in vain."""
    held = claim(job, now)
    away.release_away(job=held, now=now + took, away=away.BY_EXIT[who], silence=LEASE)
    job.refresh_from_db()
    return now + took


def rung_after(job, now):
    """Return how long the sweep leaves the job alone."""
    for seconds in range(200):
        pause = timedelta(seconds=seconds)
        if job in jobs.jobs_to_ring(now=now + pause, silence=LEASE):
            return pause
    raise AssertionError("it was never rung again")


def tried_until_it_fails(job, *, who=away.STORE, took=TOOK):
    """Return how long that was, and how many tries."""
    now, tries = NOW, 0
    while job.status == S.QUEUED:
        now, tries = given_back(job, now, who=who, took=took), tries + 1
        if job.status == S.QUEUED:
            now += LEASE + timedelta(seconds=1)
            assert job in jobs.jobs_to_ring(now=now, silence=LEASE)
    return now - NOW, tries


def test_the_pauses_between_tries_grow_up_to_the_silence_of_a_lost_message():
    job, now, pauses = make(), NOW, []
    for _ in range(6):
        now = given_back(job, now)
        pauses.append(round(rung_after(job, now).total_seconds()))
        now += timedelta(minutes=5)
    assert pauses == [6, 11, 21, 41, 61, 61]  # a second after each is over


def test_nobody_but_the_sweep_rings_a_job_that_waits_for_its_store():
    job = make()
    now = given_back(job, NOW)
    assert not jobs.mark_rung(job_id=job.pk, now=now)


@pytest.mark.parametrize(
    ("who", "code", "named"),
    [
        (away.STORE, "StoreNotReachable", "EXPUNGE_STORE"),
        (away.DATABASE, "OperationalError", "database"),
    ],
    ids=["store", "database"],
)
def test_after_an_hour_a_job_fails_of_what_was_away_and_a_retry_begins_anew(who, code, named):
    job = make()
    lasted, tries = tried_until_it_fails(job, who=who)
    assert timedelta(minutes=50) < lasted < timedelta(minutes=75)
    assert (job.status, job.error_code) == (S.FAILED, code)
    assert named in job.error
    assert f"{tries} tries" in job.error
    assert "memory" not in job.error
    assert code in REPAIRABLE
    assert jobs.retry_job(job_id=job.pk)
    again = claim(job)
    assert (again.attempt, again.max_attempts) == (1, jobs.DEFAULT_ATTEMPTS)


def test_a_try_that_takes_hours_is_made_as_often_as_a_job_may_die():
    lasted, tries = tried_until_it_fails(make(), took=timedelta(hours=3))
    assert tries == jobs.DEFAULT_ATTEMPTS
    assert lasted > timedelta(hours=9)


def test_a_job_that_found_its_store_away_may_die_as_often_as_any_other():
    job, now = make(), NOW
    for _ in range(5):
        now = given_back(job, now)
    for _ in range(jobs.DEFAULT_ATTEMPTS):
        assert job.status == S.QUEUED
        jobs.release_job(job=claim(job, now), now=now)
        job.refresh_from_db()
    assert (job.status, job.error_code) == (S.FAILED, jobs.CHILD_DIED)


def test_a_job_that_was_to_stop_is_not_tried_again():
    job = make()
    held = claim(job)
    jobs.request_cancel(job_id=job.pk, now=NOW)
    away.release_away(job=held, now=NOW, away=away.BY_EXIT[away.STORE], silence=LEASE)
    job.refresh_from_db()
    assert job.status == S.CANCELLED


def test_who_lost_the_lease_gives_nothing_back():
    job = make()
    held = claim(job)
    Job.objects.filter(pk=job.pk).update(holder=job.pk)
    away.release_away(job=held, now=NOW, away=away.BY_EXIT[away.STORE], silence=LEASE)
    job.refresh_from_db()
    assert (job.status, job.max_attempts) == (S.RUNNING, jobs.DEFAULT_ATTEMPTS)
