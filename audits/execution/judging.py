"""Turn scores into evidence and a verdict, under the policy that was fixed before."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from django.utils import timezone

from audits.attacks.population import TooFewRecords, population_report
from audits.core.contrast import keep, recompute
from audits.core.harness import Deployment
from audits.core.kept import Kept
from audits.core.likelihood import instance_test
from audits.core.policy import EvidencePolicy
from audits.core.scores import outputs_of, scores_of
from audits.core.shadows import ShadowRow, stack
from audits.core.twins import NoTwin
from audits.core.verdict import Outcome
from audits.execution.audit_sets import AuditSets, audit_sets, population_sets
from audits.execution.construction import judge_by_construction
from audits.execution.gating import gate_findings
from audits.execution.histograms import histogram_svg
from audits.execution.look_payload import owed, payload_of, retained_effect
from audits.execution.look_plot import look_plot
from audits.models import AuditPlan, Evidence, ShadowResult
from audits.queries.attempts import attempts_before
from audits.queries.forget_sets import subjects_of
from audits.services import evidence, verdicts
from audits.services.verdicts import Finding
from lineage.models import Artefact
from lineage.services.artefacts import store_artefact
from unlearning.execution.loading import load_version
from unlearning.models import UnlearningRun

if TYPE_CHECKING:
    from audits.core.estimates import InstanceTest
    from audits.core.shadow_scores import ShadowScores
    from lineage.models import Job
    from unlearning.core.examples import Examples

# An inconclusive look may be followed by the next; every other outcome ends the audit.
GOES_ON = (Outcome.INCONCLUSIVE,)


class ShadowsMissing(Exception):
    """Some scores of a look are gone."""


def judge_run(job: Job) -> None:
    """Judge the look that the job names, or an exact run by construction."""
    run = UnlearningRun.objects.select_related(
        "target__generated_by", "unlearned__generated_by", "base", "space"
    ).get(pk=job.payload_id)
    if run.status != UnlearningRun.Status.SUCCEEDED:
        return
    if evidence.needs_shadows(run):
        found = _judge_look(run, job.parameters["look"])
    else:
        found = judge_by_construction(run)
    shown = [*_population(run), *gate_findings(run)]
    verdicts.conclude(run_id=run.pk, findings=[*shown, *found], now=timezone.now())


def _judge_look(run: UnlearningRun, look: int) -> list[Finding]:
    plan = AuditPlan.objects.select_related("run").get(run=run)
    policy = EvidencePolicy.from_dict(plan.policy)
    sets = audit_sets(plan)
    scores = _scores(run, sets, policy.looks[look])
    paths = _paths(run, policy.looks[look])
    seed = evidence.design_of(plan).seed
    before = attempts_before(plan)
    kept = keep(
        scores,
        seed=seed,
        # Drawn for this look and written nowhere: the kept set must not say which record is which.
        index=np.random.default_rng().permutation(run.forget_count),
        deployment=replace(_deployment(run, sets), paths=paths),
        subjects=None if (owners := subjects_of(run)) is None else np.array(owners, np.int64),
    )
    kept = replace(kept, attempt=len(before) + 1, debt=owed(before, policy))
    if sets.own is not None:
        kept = replace(kept, instance=_instance(run, sets.own, policy.looks[look]))
    verdict = recompute(Kept.from_dict(kept.as_dict()), policy)
    pictures = _store(look_plot(scores, seed=seed)), _store(histogram_svg(kept))
    told = {
        **payload_of(kept, verdict, policy, before),
        "retained": retained_effect(run, policy.looks[look], policy.alpha),
        "engine": {**plan.design.get("engine", {}), "models": paths},
        "figures": {"histograms": pictures[1].sha256},
        "policy_digest": plan.policy_digest,
        "design_digest": plan.design_digest,
    }
    return [
        Finding(
            kind=Evidence.Kind.U_LIRA,
            look=look,
            models_per_arm=policy.looks[look],
            payload=told,
            plot=pictures[0],
            outcome=verdict.outcome.value,
            reasons=verdict.reasons,
            final=look == len(policy.looks) - 1 or verdict.outcome not in GOES_ON,
        )
    ]


def _scores(run: UnlearningRun, sets: AuditSets, per_arm: int) -> ShadowScores:
    rows = list(ShadowResult.objects.filter(run=run, index__lt=2 * per_arm).order_by("index"))
    if len(rows) != 2 * per_arm:
        raise ShadowsMissing(
            f"The look at run {run.pk} needs {2 * per_arm} shadow models, and {len(rows)} are "
            "stored; a part of them is never judged."
        )
    deployed = None
    if sets.own is None and run.unlearned is not None:
        deployed, _ = scores_of(load_version(run.unlearned), sets.data.forget)
    return stack([from_json(row.row) for row in rows], deployed=deployed)


def _instance(run: UnlearningRun, own: Examples, per_arm: int) -> InstanceTest:
    """Ask whether the deployed model looks like models that never saw the person."""
    rows = ShadowResult.objects.filter(run=run, index__lt=2 * per_arm).order_by("index")
    never_seen = np.array([row.row["own"] for row in rows], np.float64)
    assert run.unlearned is not None  # noqa: S101  (a run that succeeded has one)
    return instance_test(never_seen, scores_of(load_version(run.unlearned), own)[0])


def _paths(run: UnlearningRun, per_arm: int) -> dict[str, int]:
    """Return how many models were trained in which way; who did not say it knew one way only."""
    rows = ShadowResult.objects.filter(run=run, index__lt=2 * per_arm)
    return dict(Counter(row.row.get("engine", "sequential") for row in rows))


def from_json(row: dict[str, Any]) -> ShadowRow:
    """Return the row that ``shadows.as_json`` wrote."""
    arrays = ("before", "after", "canary_scores")
    return ShadowRow(
        **{
            **{name: value for name, value in row.items() if name not in {"own", "engine"}},
            **{name: np.asarray(row[name], np.float64) for name in arrays},
            "canary_member": np.asarray(row["canary_member"], np.bool_),
        }
    )


def _deployment(run: UnlearningRun, sets: AuditSets) -> Deployment:
    assert run.unlearned is not None  # noqa: S101  (a run that succeeded has one)
    before = scores_of(load_version(run.target), sets.data.test)[1]
    after = scores_of(load_version(run.unlearned), sets.data.test)[1]
    captured = run.target.generated_by
    return Deployment(
        shadow_recipe={**sets.recipe.describe(), "digest": sets.recipe.digest()},
        target_recipe={
            "recipe": captured.recipe,
            "parameters": captured.recipe_parameters,
            "digest": captured.recipe_digest,
        },
        test_before=float(before.mean()),
        test_after=float(after.mean()),
    )


def _store(picture: bytes) -> Artefact:
    return store_artefact(kind=Artefact.Kind.PLOT, data=picture, now=timezone.now())


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
    except (TooFewRecords, NoTwin) as reason:
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
