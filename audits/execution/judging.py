"""Turn scores into evidence and a verdict, under the policy that was fixed before."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from django.utils import timezone

from audits.attacks.population import OutputsNotFinite, TooFewRecords, population_report
from audits.core.scores import outputs_of
from audits.core.twins import NoTwin
from audits.execution.audit_sets import population_sets
from audits.execution.certified import judge_certified, told
from audits.execution.construction import judge_by_construction
from audits.execution.gating import gate_findings
from audits.execution.judged_look import judge_look
from audits.execution.planted import canary_findings, with_reasons
from audits.execution.stored_rows import SetsChanged
from audits.models import Evidence
from audits.services import evidence, verdicts
from audits.services.verdicts import Finding
from lineage.services import jobs
from unlearning.execution.loading import load_version
from unlearning.models import UnlearningRun

if TYPE_CHECKING:
    from lineage.models import Job


def judge_run(job: Job) -> None:
    """Judge the look that the job names, or an exact run by construction."""
    run = UnlearningRun.objects.select_related(
        "target__generated_by", "unlearned__generated_by", "base", "space"
    ).get(pk=job.payload_id)
    if run.status != UnlearningRun.Status.SUCCEEDED:
        return
    jobs.report_progress(job=job, phase="Judging the result", done=0, total=1)
    if evidence.needs_shadows(run):
        try:
            found = judge_certified(run) or told(run, judge_look(run, job.parameters["look"]))
        except (NoTwin, SetsChanged) as reason:  # somebody was restricted since the training
            verdicts.not_computed(run_id=run.pk, reason=str(reason), now=timezone.now())
            return
    else:
        found = judge_by_construction(run)
    shown = [*_population(run), *gate_findings(run), *canary_findings(run)]
    findings = with_reasons(run, [*shown, *found])
    verdicts.conclude(run_id=run.pk, findings=findings, now=timezone.now())


def _population(run: UnlearningRun) -> list[Finding]:
    """Return the population attack: shown beside the rest, never able to clear a run."""
    if run.unlearned is None or run.evidence.filter(kind=Evidence.Kind.POPULATION).exists():
        return []
    try:
        forget, strangers = population_sets(run)
        before, after = load_version(run.target), load_version(run.unlearned)
        report = population_report(
            outputs_of(after, forget),
            outputs_of(after, strangers),
            seed=run.seed,
            original=(outputs_of(before, forget), outputs_of(before, strangers)),
        )
    except (OutputsNotFinite, TooFewRecords, NoTwin) as reason:
        payload: dict[str, Any] = {
            "original": None,
            "unlearned": None,
            "not_computed": str(reason),
        }
    else:
        numbers = asdict(report)
        payload = {
            "original": numbers.pop("original"),
            "unlearned": numbers,
            "not_computed": "",
        }
    return [Finding(kind=Evidence.Kind.POPULATION, look=0, models_per_arm=0, payload=payload)]
