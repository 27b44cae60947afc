"""What the span of a job says: ids of rows, codes and numbers; and where a trace is shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings

from audits.queries.evidence import verdict_of
from lineage.core.spans import trace_of
from unlearning.models import UnlearningRun

if TYPE_CHECKING:
    from audits.models import ErasureRequest
    from lineage.models import Job


def facts_of(job: Job) -> dict[str, str | int]:
    """Return what is known of a job when it begins: what it is about, and which try it is."""
    facts: dict[str, str | int] = {
        "job": str(job.pk),
        "kind": job.kind,
        "queue": job.queue,
        "attempt": job.attempt,
    }
    run = UnlearningRun.objects.filter(pk=job.payload_id).first()
    if run is None:
        return facts
    return {**facts, "run": str(run.pk), "version": str(run.target_id), "method": run.method}


def outcome_of(job: Job) -> str:
    """Return what came of a job that ended well: of one that judges, the verdict."""
    run = UnlearningRun.objects.filter(pk=job.payload_id).first() if job.kind == "JUDGE" else None
    verdict = verdict_of(run) if run else None
    return str(verdict.outcome) if verdict else str(job.status)


def trace_page(case: ErasureRequest) -> str:
    """Return the address at which the trace of a case is shown; empty where none is named."""
    if not (settings.EXPUNGE_TRACES and settings.EXPUNGE_TRACE_URL):
        return ""
    address: str = settings.EXPUNGE_TRACE_URL
    return address.replace("{trace_id}", f"{trace_of(case.pk):032x}")
