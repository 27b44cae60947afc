"""``manage.py run_job ID``: the child process that does one claimed job, and imports torch."""

from __future__ import annotations

import logging
import os
import sys
from contextlib import ExitStack, contextmanager
from importlib import import_module
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError
from django.db import InterfaceError, OperationalError
from django.utils import timezone

from audits.core.failures import text_of
from audits.queries.cases import cases_of_job
from audits.queries.policy_values import held
from audits.queries.span_facts import facts_of, outcome_of
from audits.services.job_lines import forget_lines, kept_lines
from lineage.core import spans
from lineage.core.log_context import bound
from lineage.core.recorded import TRACEPARENT
from lineage.models import Job
from lineage.queries.training_view import RecordNotServed
from lineage.services import away, jobs
from lineage.services.fence import fenced
from lineage.stores import StoreNotReachable

if TYPE_CHECKING:
    from argparse import ArgumentParser
    from collections.abc import Iterator, Sequence

log = logging.getLogger("expunge.job")

# Named, not imported: a child loads only what its job needs (torch takes two seconds).
HANDLERS = {
    "TILES": "lineage.execution.tiling:build_tiles",
    "TRAIN": "unlearning.execution.training:train_version",
    "TUNE": "audits.execution.tuning:tune",
    "UNLEARN": "audits.execution.standing_in:unlearn",
    "SCORE": "audits.execution.scoring:score_case",
    "SEARCH": "audits.execution.searching:search_places",
    "PLAN": "audits.execution.planning:draw_plan",
    "PREVIEW": "audits.execution.previewing:preview_plan",
    "AUDIT": "audits.execution.shadows:train_shadows",
    "JUDGE": "audits.execution.judging:judge_run",
    "ERASE": "audits.execution.erasing:erase_case",
    "REPORT": "audits.execution.edition_files:write_all",
}

# Who was away: the worker gives the job back for another try after a pause.
AWAY = (StoreNotReachable, OperationalError, InterfaceError)


class Command(BaseCommand):
    """Do one claimed job. Started by the worker; not meant to be called by hand."""

    help = "Do one claimed job (started by the worker)."
    requires_system_checks: list[str] = []  # they import the site's pages, which a job never needs

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("job_id", type=UUID)
        parser.add_argument("--holder", type=UUID, help="for whom it was claimed")

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ANN401  (Django's signature)
        try:
            self._handle(Job.objects.get(pk=options["job_id"]), options["holder"])
        except AWAY as gone:
            log.warning("job %s is tried again later", options["job_id"], exc_info=True)
            sys.exit(away.STORE if isinstance(gone, StoreNotReachable) else away.DATABASE)

    def _handle(self, job: Job, holder: UUID | None) -> None:
        if holder not in (None, job.holder):  # nobody holds one that waits again or is over
            raise CommandError(
                f"Job {job.pk} was taken back since it was claimed, and is {job.status} now; "
                "nothing is written."
            )
        if job.status != Job.Status.RUNNING:
            raise CommandError(f"Job {job.pk} is {job.status}; only a claimed job can be run.")
        waiting = list(cases_of_job(job).values_list("pk", "reference"))
        numbers = " ".join(reference for _, reference in waiting)
        with bound(job=str(job.pk), case=numbers), _traced(job, waiting) as opened:
            self._do(job)
            if opened:
                job.refresh_from_db()
            for span in opened:
                span.note(outcome=outcome_of(job), error=job.error_code)

    def _do(self, job: Job) -> None:
        module, _, function = HANDLERS[job.kind].partition(":")
        try:
            with held(), kept_lines(job), fenced(job):
                getattr(import_module(module), function)(job)
        except (*AWAY, RecordNotServed):  # the latter was restricted while it was read
            raise
        except jobs.LeaseLost as lost:
            raise _too_late(job) from lost
        except Exception as error:
            log.exception("job %s failed", job.pk)
            code = type(error).__name__[:64]
            jobs.fail_job(job=job, now=timezone.now(), code=code, message=text_of(error))
        else:
            if jobs.finish_job(job=job, now=timezone.now()):
                forget_lines(job)
        if job.status == Job.Status.RUNNING:  # not ended by us: one may have had nothing to write
            raise _too_late(job)


def _too_late(job: Job) -> CommandError:
    log.warning("job %s was taken back; nothing more is written", job.pk)
    return CommandError(f"Job {job.pk} was taken back while it was done.")


@contextmanager
def _traced(job: Job, waiting: Sequence[tuple[UUID, str]]) -> Iterator[list[spans.Open]]:
    """Have a job be a span of each case that waits for it, inside what started this process."""
    with ExitStack() as opened:
        opened.enter_context(spans.continued(os.environ.get(TRACEPARENT.upper(), "")))
        about = facts_of(job) if spans.on() and waiting else {}
        # The case whose message started this is first, or another would stand between.
        ordered = sorted(waiting, key=lambda one: not spans.is_here(one[0])) if about else []
        yield [
            opened.enter_context(spans.of_case(case, f"job {job.kind}", case=reference, **about))
            for case, reference in ordered
        ]
