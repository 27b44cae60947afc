"""The unlearning runs of a case with what was concluded and how far they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from audits.queries.case_file import ordered_runs
from audits.queries.cases import jobs_of
from audits.queries.evidence import verdict_of

if TYPE_CHECKING:
    from audits.models import ErasureRequest, Verdict
    from lineage.models import Job
    from unlearning.models import UnlearningRun


@dataclass(frozen=True, kw_only=True)
class CaseRun:
    """A run, the last verdict on it as this case may see it, and its newest job."""

    run: UnlearningRun
    verdict: Verdict | None
    job: Job | None


def runs_of(request: ErasureRequest) -> list[CaseRun]:
    """Return the runs of a case in the order of its plan."""
    newest = {job.payload_id: job for job in jobs_of(request)}
    return [
        CaseRun(run=run, verdict=verdict_of(run, request), job=newest.get(run.pk))
        for run in ordered_runs(request)
    ]
