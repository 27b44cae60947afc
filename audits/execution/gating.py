"""Measure the version before and the one after on records that neither learned from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings

from audits.core.policy import EvidencePolicy
from audits.core.quality import NoGradient, Paired, outputs_under_attack, paired
from audits.core.scores import scores_of
from audits.execution.audit_sets import SMALLEST_TEST, never_trained_on
from audits.models import Evidence
from audits.queries import cases
from audits.services.verdicts import Finding
from lineage.artifacts import ArtefactMissing
from unlearning.core.recipe import RecipeChanged, RecipeNotAllowed
from unlearning.core.release.gate import Quality, Thresholds, gate, passed
from unlearning.core.sharding.vote import SoftVote
from unlearning.execution.loading import NoRecipe, TargetDestroyed, load_version

if TYPE_CHECKING:
    from torch import nn

    from lineage.models import ModelVersion
    from unlearning.core.examples import Examples
    from unlearning.models import UnlearningRun

# Why the two versions cannot be loaded side by side: then nothing is known, and nothing is held.
_NOT_THERE = (ArtefactMissing, NoRecipe, RecipeChanged, RecipeNotAllowed, TargetDestroyed)
SHARD_MARGIN = 0.05  # a shard's model is one vote of several
NOT_MEASURED = "Accuracy before and after was not compared: {why}"


def gate_findings(run: UnlearningRun) -> list[Finding]:
    """Return the evidence of the release gate, once per run; none for a destroyed version.

    The margin is the one of the audit policy (``margin_utility``). What models of equal quality
    may differ by on so few records by chance is tolerated in addition.
    """
    if run.unlearned is None or run.evidence.filter(kind=Evidence.Kind.RELEASE).exists():
        return []
    try:
        payload = _compared(run, run.unlearned)
    except _NOT_THERE as reason:
        payload = _unknown(str(reason))
    return [Finding(kind=Evidence.Kind.RELEASE, look=0, models_per_arm=0, payload=payload)]


def _compared(run: UnlearningRun, result: ModelVersion) -> dict[str, Any]:
    before, after = load_version(run.target), load_version(result)
    examples = never_trained_on(run)
    if len(examples) < SMALLEST_TEST:
        return _unknown(
            f"{len(examples)} records were never trained on, and {SMALLEST_TEST} are needed."
        )
    margin = _margin(run)
    plain = paired(scores_of(before, examples)[1], scores_of(after, examples)[1])
    attacked = _attacked(before, after, examples)
    shards = _shards(before, after, examples)
    rulings = gate(
        Quality(
            accuracy=plain.before,
            shards=tuple(one.before for one in shards),
            adversarial=attacked.before if attacked else None,
        ),
        Quality(
            accuracy=plain.after,
            shards=tuple(one.after for one in shards),
            adversarial=attacked.after if attacked else None,
        ),
        Thresholds(
            accuracy=margin + plain.noise,
            shard=max(SHARD_MARGIN, margin) + max((one.noise for one in shards), default=0.0),
            adversarial=margin + attacked.noise if attacked else None,
        ),
    )
    return {
        "records": len(examples),
        "margin": margin,
        "accuracy": _row(plain),
        "adversarial": _row(attacked) if attacked else None,
        "shards": [_row(one) for one in shards],
        "allowed": passed(rulings).allowed,
        "reasons": [one.reason for one in rulings],
        "not_computed": "",
    }


def _shards(before: nn.Module, after: nn.Module, examples: Examples) -> list[Paired]:
    """Return the accuracies of each shard's model; none where the two are not votes of as many."""
    if not (isinstance(before, SoftVote) and isinstance(after, SoftVote)):
        return []
    if len(before.members) != len(after.members):
        return []
    pairs = zip(before.members, after.members, strict=True)
    return [paired(*(scores_of(one, examples)[1] for one in pair)) for pair in pairs]


def _margin(run: UnlearningRun) -> float:
    case = cases.cases_of_run(run.pk).order_by("received_at").first()
    return EvidencePolicy.from_dict(case.policy if case else {}).margin_utility


def _attacked(before: nn.Module, after: nn.Module, examples: Examples) -> Paired | None:
    """Return accuracies on moved inputs; None where that is not asked for or cannot be."""
    step = settings.EXPUNGE_RELEASE_ATTACK
    if not step:
        return None
    try:
        found = [outputs_under_attack(one, examples, step).correct for one in (before, after)]
    except NoGradient:
        return None
    return paired(*found)


def _row(found: Paired) -> dict[str, float]:
    return {"before": found.before, "after": found.after, "noise": found.noise}


def _unknown(why: str) -> dict[str, Any]:
    return {
        "records": 0,
        "margin": None,
        "accuracy": None,
        "adversarial": None,
        "shards": [],
        "allowed": True,
        "reasons": [NOT_MEASURED.format(why=why)],
        "not_computed": why,
    }
