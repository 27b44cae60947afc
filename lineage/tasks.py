"""The one task that does work: it gives a job to a fresh child process and watches over it."""

from __future__ import annotations

import ctypes
import logging
import os
import signal
import subprocess
import sys
import time
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING
from uuid import UUID

from celery import current_app, shared_task
from django.conf import settings
from django.db import DatabaseError, connection
from django.utils import timezone

from lineage.core import spans
from lineage.core.log_context import bound
from lineage.core.recorded import TRACEPARENT
from lineage.services import away, jobs
from lineage.services.missing_erasures import replay_needed
from lineage.services.sweeping import sweep_store

if TYPE_CHECKING:
    from collections.abc import Callable

    from lineage.models import Job

CANCEL_GRACE_SECONDS = 10
logger = logging.getLogger("expunge.worker")


@shared_task(name="lineage.run_job")
def run_job(job_id: str) -> None:
    """Claim the job, run it in a child process, then ring whoever waits for it."""
    if replay_needed():
        return  # the row waits, and the sweeper rings again once the erasures are replayed
    lease = timedelta(seconds=settings.EXPUNGE_LEASE_SECONDS)
    try:
        job = jobs.claim_job(job_id=UUID(job_id), now=timezone.now(), lease=lease)
    except jobs.JobNotClaimable:
        spans.here().note(job=job_id, outcome="NOT_CLAIMABLE")
        return
    spans.here().note(job=job_id, kind=job.kind, queue=job.queue, attempt=job.attempt)
    with bound(job=job_id):
        _watch(job, _start_child(job), lease)
    if job.then:
        current_app.send_task(job.then, args=[job_id], queue="intake")


@shared_task(name="lineage.sweep_store")
def sweep_daily() -> None:
    """Delete from the store what processes that died have left there."""
    if replay_needed():
        return
    swept = sweep_store(now=timezone.now())
    if left := swept.staging + swept.records + swept.objects:
        logger.warning("%s files that no row speaks of were deleted from the store", left)


def _start_child(job: Job) -> subprocess.Popen[bytes]:
    environment = {"OMP_NUM_THREADS": "1", "CUBLAS_WORKSPACE_CONFIG": ":4096:8", **os.environ}
    environment["PYTHONHASHSEED"] = "0"
    environment[TRACEPARENT.upper()] = spans.carried().get(TRACEPARENT, "")
    manage = str(settings.BASE_DIR / "manage.py")
    return subprocess.Popen(  # noqa: S603  (our own command, ids of our own)
        [sys.executable, manage, "run_job", str(job.pk), "--holder", str(job.holder)],
        env=environment,
        start_new_session=True,
        preexec_fn=_die_with_parent if sys.platform == "linux" else None,  # noqa: PLW1509  (no threads here)
    )


def _die_with_parent() -> None:
    pr_set_pdeathsig = 1
    ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGKILL)


def _watch(job: Job, child: subprocess.Popen[bytes], lease: timedelta) -> None:
    beat = max(0.5, lease.total_seconds() / 6)
    lapses = time.monotonic() + lease.total_seconds()
    while True:
        try:
            child.wait(timeout=beat)
            break
        except subprocess.TimeoutExpired:
            before = time.monotonic()
            kept = _keep(job, lease)
            if kept:
                lapses = before + lease.total_seconds()
            elif kept is False or time.monotonic() + beat > lapses:
                # The database is not asked where it did not answer: the lease is running out.
                _stop(child, through=kept is False and _is_through(job))
                _tell(jobs.cancel_job if kept is False else jobs.release_job, job)
                return
    if found := away.BY_EXIT.get(child.returncode):
        _tell(partial(away.release_away, away=found, silence=lease), job)
    elif child.returncode != 0:
        _tell(jobs.release_job, job)


def _keep(job: Job, lease: timedelta) -> bool | None:
    """Return whether the child may go on; None when the database does not answer.

    That does not stop the child while the lease lasts. Afterwards somebody else may claim the
    job, and two children must not do it at once.
    """
    try:
        return not jobs.renew_lease(job=job, now=timezone.now(), lease=lease)
    except jobs.LeaseLost:
        return False
    except DatabaseError as error:
        logger.warning("the lease of %s was not renewed: %s", job, type(error).__name__)
        connection.close_if_unusable_or_obsolete()
        return None


def _tell(end: Callable[..., object], job: Job) -> None:
    """Write how a job ended; while the database is away the sweeper finds its lease lapsed."""
    try:
        end(job=job, now=timezone.now())
    except DatabaseError as error:
        logger.warning("the end of %s was not written: %s", job, type(error).__name__)
        connection.close_if_unusable_or_obsolete()


def _stop(child: subprocess.Popen[bytes], *, through: bool) -> None:
    """End a child; one that is through with its job goes by itself: it has traces left to send."""
    if not through:
        child.terminate()
    try:
        child.wait(timeout=CANCEL_GRACE_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(child.pid, signal.SIGKILL)
        child.wait()


def _is_through(job: Job) -> bool:
    try:
        return jobs.was_ended_by_its_child(job=job)
    except DatabaseError:
        return False
