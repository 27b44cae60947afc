"""The tasks that the workflow defines: each takes an opaque id and makes one call."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from celery import shared_task
from django.conf import settings
from django.utils import timezone

from audits.execution.rules_in_force import rules_in_force
from audits.queries import cases, watched
from audits.queries.due_chain import one_outlook
from audits.queries.policy_values import held
from audits.services import (
    exceptions,
    expiry,
    job_lines,
    late,
    letter_delivery,
    log,
    notices,
    plan_previews,
    query_counts,
    registers,
    retention,
    rules,
    scheduling,
    sign_in,
    stamping,
    stopping,
    sweep_marks,
    unconfirmed,
    witnessing,
)
from audits.workflow.clock_actions import mind_clocks
from audits.workflow.doorbell import JOB_ENDED, queue_tiles, send
from audits.workflow.steps import advance
from audits.workflow.traced import ringing
from audits.workflow.turn import Turn
from audits.workflow.webhook_actions import TELL, tell, tell_all
from lineage.core import spans
from lineage.models import Job
from lineage.services import capture_reports, jobs, openlineage_late
from lineage.services.missing_erasures import replay_needed
from unlearning.queries.histories import erased_in_unfinished
from unlearning.services import histories

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

logger = logging.getLogger("expunge.workflow")


@shared_task(name="audits.advance")
def advance_case(case_id: str) -> None:
    """Do what can be done for a case now."""
    if not replay_needed():
        advance(UUID(case_id))


@shared_task(name=JOB_ENDED)
def job_ended(job_id: str) -> None:
    """Go on with the cases that waited for a job."""
    if replay_needed():
        return  # the sweeper goes on with them once the erasures are replayed
    job = Job.objects.get(pk=job_id)
    for request in cases.cases_of_job(job):
        advance(request.pk)


@shared_task(name=TELL, soft_time_limit=60, time_limit=90)
def tell_webhook(webhook_id: str) -> None:
    """Send what waits for a webhook; a receiver that never ends its answer is cut off."""
    if not replay_needed():
        tell(UUID(webhook_id), timezone.now() + timedelta(seconds=30))


@shared_task(name="audits.sweep")
def sweep() -> None:
    """Repair what a lost message or a dead worker left behind."""
    if replay_needed():
        logger.error("restored from a backup: run manage.py replay_erasures")
        return
    now = timezone.now()
    with spans.alone("sweep") as opened:
        failed = sum(not _taken(step, now) for step in SWEPT)
        turn = Turn(after=watched.place_of_sweep(), keep=sweep_marks.note_place)
        failed += _all_advanced(turn)
        opened.note(outcome="FAILED" if failed else "LEFT" if turn.left else "WHOLE")
    sweep_marks.note_sweep(began=now, ended=timezone.now(), failed=failed, left=turn.left)


def _taken(step: Callable[[datetime], None], now: datetime) -> bool:
    """Take a step of the sweep; return whether it came to its end."""
    name = step.__name__.strip("_")
    try:
        with spans.inside(f"sweep {name}", step=name), held():
            step(now)
    except Exception:  # damage in one place must not stop what has nothing to do with it
        logger.exception("a step of the sweep failed")
        return False
    return True


@spans.named("sweep cases")
def _all_advanced(turn: Turn) -> int:
    """Advance the cases whose turn it is; return how many could not be."""
    failed = 0
    with one_outlook():
        for case_id in turn.of(cases.cases_at_work()):
            try:
                advance(case_id)
            except Exception:  # one case that cannot go on must not stop the others
                logger.exception("case %s cannot be advanced", case_id)
                failed += 1
    return failed


def _start(now: datetime) -> None:
    scheduling.start_batches(now=now)


def _ring(now: datetime) -> None:
    lease = timedelta(seconds=settings.EXPUNGE_LEASE_SECONDS)
    jobs.take_back_lapsed(now=now, lease=lease)
    for job in jobs.jobs_to_ring(now=now, silence=lease):
        with ringing(job):
            send("lineage.run_job", str(job.pk), job.queue)


def _give_up(now: datetime) -> None:
    silence = timedelta(seconds=settings.EXPUNGE_CAPTURE_SILENCE_SECONDS)
    capture_reports.give_up_silent(now=now, silence=silence)


def _forget(now: datetime) -> None:
    unconfirmed.remind_unconfirmed(now=now)
    unconfirmed.expire_unconfirmed(now=now)


def _discard(now: datetime) -> None:
    histories.discard_unfinished(records=erased_in_unfinished(), now=now)


def _expire(now: datetime) -> None:
    expiry.expire_shadows(now=now)
    expiry.expire_scores(now=now)
    registers.expire_suppressions(now=now)
    plan_previews.expire(now=now)
    query_counts.forget_counts(now=now)
    job_lines.expire_lines(now=now)
    sign_in.forget_sessions(now=now)
    retention.destroy_due(now=now)


def _write(now: datetime) -> None:
    letter_delivery.deliver_waiting(now=now)


def _match(now: datetime) -> None:
    openlineage_late.match_late(now=now)


def _end_exceptions(now: datetime) -> None:
    exceptions.end_due(now=now)


def _stop(now: datetime) -> None:
    stopping.stop_arrived(now=now)


def _open_late(now: datetime) -> None:
    late.open_late_cases(now=now)


def _tell(now: datetime) -> None:
    notices.note_deployments(now=now)
    notices.send_due(now=now)


def _note_rules(now: datetime) -> None:
    rules.note_rules(rules=rules_in_force, now=now)


def _anchor(now: datetime) -> None:
    log.anchor_hourly(now=now)


def _ask_outside(now: datetime) -> None:
    stamping.stamp_due(now=now)


def _show_outside(now: datetime) -> None:
    witnessing.witness_due(now=now)


SWEPT = (
    _note_rules,
    _ring,
    _give_up,
    _forget,
    _discard,
    _expire,
    queue_tiles,
    _match,
    _end_exceptions,
    _stop,
    _open_late,
    _write,
    _start,
    mind_clocks,
    _tell,
    tell_all,
    _anchor,
    _ask_outside,
    _show_outside,
)
