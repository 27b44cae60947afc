"""Train a chunk of shadow models. They live in this process only; their scores are kept."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils import timezone

from audits.core.scores import scores_of
from audits.core.shadow_pool import decoded
from audits.core.shadows import finish_shadow, train_shadow, with_retrained
from audits.core.twins import NoTwin
from audits.execution.audit_sets import audit_sets
from audits.execution.certified import goes_on
from audits.execution.procedure import audited
from audits.execution.shadow_engine import Bench
from audits.execution.shadow_lineage import Beside, register_shadow
from audits.execution.stored_rows import SetsChanged, as_json, check_drawn, plain
from audits.models import AuditPlan, ShadowResult
from audits.queries.designs import cohort_at
from audits.services import evidence, verdicts
from lineage.services import jobs
from unlearning.core.engine import Path
from unlearning.core.method import EmptySet, NothingTouched, SettingRefused, WeightsNotFinite
from unlearning.core.session import Cancelled
from unlearning.core.training import LossNotFinite
from unlearning.execution.reporting import cancel_asked, reporter
from unlearning.models import UnlearningRun

if TYPE_CHECKING:
    from torch import nn

    from audits.core.shadow_rows import ShadowRow
    from audits.execution.audit_sets import AuditSets
    from audits.execution.procedure import Audited
    from lineage.models import Job

logger = logging.getLogger("expunge.audits")

# What says that this attack cannot be made, rather than that something is broken.
NOT_COMPUTABLE = (
    NoTwin,
    SetsChanged,
    LossNotFinite,
    NothingTouched,
    WeightsNotFinite,
    SettingRefused,
    EmptySet,
)


def train_shadows(job: Job) -> None:
    """Train, score, unlearn and score again the models from start to stop of the job.

    A model whose row exists is not trained again. A pool that cannot supply twins, or a
    procedure that cannot be repeated on other sets, ends the audit as not computed, which is not
    a pass. A job that is asked to stop does so before the next step of training. Once the
    audit is over nothing more is trained, nor kept of what was being trained.
    """
    plan = AuditPlan.objects.select_related(
        "run__target__generated_by", "run__base", "run__space"
    ).get(pk=job.payload_id)
    if plan.run.status != UnlearningRun.Status.SUCCEEDED:
        return
    try:
        _train_chunk(job, plan)
    except Cancelled:
        jobs.cancel_job(job=job, now=timezone.now())
    except evidence.AuditOver as over:
        logger.info("%s", over, extra={"said": "AUDIT_OVER"})
    except NOT_COMPUTABLE as reason:
        verdicts.not_computed(run_id=plan.pk, reason=str(reason), now=timezone.now())


def _train_chunk(job: Job, plan: AuditPlan) -> None:
    start, stop = job.parameters["start"], job.parameters["stop"]
    cohort = cohort_at(plan, start)
    sets = audit_sets(plan, instances=cohort.beside_pool)
    if not (cohort.beside_pool or goes_on(plan, sets)):
        return
    if plan.certificate_id is None and evidence.CERTIFIED in job.key:
        return  # the certificate was set aside since this job was queued
    sets = replace(sets, data=decoded(sets.data))
    procedure = audited(plan.run, cancel_asked(job))
    if sets.own is not None and procedure.base is not None:
        raise NoTwin(
            "not computed: a version rebuilt on an approximately cleared base is audited on the "
            "person's own records only, which this policy does not allow."
        )
    bench = Bench(plan=plan, cohort=cohort, procedure=procedure, data=sets.data)
    known = set(ShadowResult.objects.filter(run=plan.run).values_list("index", flat=True))
    missing = [at - cohort.first for at in range(start, stop) if at not in known]
    if missing:
        check_drawn(plan.pk, sets.drawn)
    path, trained = _trained(job, bench, missing) if missing else (Path.SEQUENTIAL, {})
    start, stop = start - cohort.first, stop - cohort.first
    report = reporter(job, cohort.named(start, stop), estimate=True)
    report("", stop - start - len(missing), stop - start)
    for number in missing:
        row = _compared(_row(number, bench, trained), bench)
        _keep(bench, row, sets, path)
        report("", number + 1 - start, stop - start)
    evidence.log_shadows(run_id=plan.pk, now=timezone.now())


def _trained(job: Job, bench: Bench, numbers: list[int]) -> tuple[Path, dict[int, nn.Module]]:
    """Return how the models of this audit are trained, and those that were trained at once."""
    path = bench.path(numbers)
    if path is Path.SEQUENTIAL:
        return path, {}
    phase = f"{bench.cohort.named(numbers[0], numbers[-1] + 1)}, trained all at once"
    return path, bench.train_together(numbers, reporter(job, phase, estimate=True))


def _row(number: int, bench: Bench, trained: dict[int, nn.Module]) -> ShadowRow:
    """Return what one model leaves; it is trained here unless it is already."""
    if number in trained:
        model = trained.pop(number)  # or all would be in memory to the end
        return finish_shadow(number, model, bench.design, bench.procedure, bench.data)
    return train_shadow(number, bench.design, bench.procedure, bench.data)


def _compared(row: ShadowRow, bench: Bench) -> ShadowRow:
    """Add the scores of a retrained model, one for each that learned the first subject."""
    if not (bench.plan.policy.get("equivalence") and row.member):
        return row
    return with_retrained(row, bench.design, bench.procedure, bench.data)


def _learned_any(row: ShadowRow, bench: Bench, sets: AuditSets) -> bool:
    """Return whether a model learned a record of a person that is forgotten."""
    return sets.own is None and bool(bench.design.learns[row.model].any())


@transaction.atomic  # or a crash in between would leave a node whose purge nobody asks for
def _keep(bench: Bench, row: ShadowRow, sets: AuditSets, path: Path) -> None:
    run, procedure, cohort = bench.plan.run, bench.procedure, bench.cohort
    version = register_shadow(
        run,
        procedure,
        learned_forget_set=_learned_any(row, bench, sets),
        beside=Beside(learned=sets.learned, asked=sets.asked),
    )
    own = _own_scores(procedure, sets) if cohort.asked_of_person else []
    drawn = {"drawn": sets.drawn} if sets.drawn else {}
    kept = evidence.keep_shadow(
        run_id=run.pk,
        index=cohort.first + row.model,
        version=version,
        row={**as_json(row), "own": plain(own), "engine": path.value, **drawn},
        now=timezone.now(),
    )
    if not kept:  # another worker was first, and no row would lead to this node
        transaction.set_rollback(True)


def _own_scores(procedure: Audited, sets: AuditSets) -> list[float]:
    """Return the scores of the person's records under a model that never saw them."""
    if sets.own is None or procedure.unlearned is None:
        return []
    scores: list[float] = scores_of(procedure.unlearned, sets.own)[0].tolist()
    return scores
