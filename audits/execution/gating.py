"""Measure the version before and the one after on records that neither learned from."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from audits.core.policy import EvidencePolicy
from audits.core.quality import NoGradient, Paired, outputs_under_attack, paired
from audits.core.scores import scores_of
from audits.execution.audit_sets import SMALLEST_TEST, never_trained_on
from audits.models import Evidence
from audits.queries import cases
from audits.queries.policy_values import in_force
from audits.services.verdicts import Finding
from lineage.artifacts import ArtefactMissing
from unlearning.core.recipe import RecipeChanged, RecipeNotAllowed
from unlearning.core.release.gate import Quality, Thresholds, gate, passed
from unlearning.core.release.ruling import Ruling
from unlearning.core.sharding.rebuilding import NotAVote
from unlearning.core.sharding.vote import SoftVote
from unlearning.execution.loading import NoRecipe, TargetDestroyed, load_version

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from torch import nn

    from lineage.models import ModelVersion
    from unlearning.core.examples import Examples
    from unlearning.core.sharding.rebuilding import RolledBack
    from unlearning.core.stored import StoredExamples
    from unlearning.models import UnlearningRun

# Why the two versions cannot be loaded side by side: then nothing is known, and nothing is held.
_NOT_THERE = (ArtefactMissing, NoRecipe, RecipeChanged, RecipeNotAllowed, TargetDestroyed)
SHARD_MARGIN = 0.05  # a shard's model is one vote of several
NOT_MEASURED = "Accuracy before and after was not compared: {why}"
WORST = "the shard that fell most"


@dataclass(frozen=True, kw_only=True)
class _Measured:
    """Accuracies of two versions, as a whole and shard by shard."""

    margin: float
    plain: Paired
    attacked: Paired | None
    shards: Sequence[Paired]

    def sides(self) -> tuple[Quality, Quality]:
        """Return the version before and the one after."""
        attacked = self.attacked
        return (
            Quality(
                accuracy=self.plain.before,
                shards=tuple(one.before for one in self.shards),
                adversarial=attacked.before if attacked else None,
            ),
            Quality(
                accuracy=self.plain.after,
                shards=tuple(one.after for one in self.shards),
                adversarial=attacked.after if attacked else None,
            ),
        )

    def thresholds(self) -> Thresholds:
        """Return what is tolerated: the margin, and what may be chance."""
        noise = max((one.noise for one in self.shards), default=0.0)
        return Thresholds(
            accuracy=self.margin + self.plain.noise,
            shard=max(SHARD_MARGIN, self.margin) + noise,
            adversarial=self.margin + self.attacked.noise if self.attacked else None,
        )


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


def stand_in_ruling(run: UnlearningRun, found: RolledBack) -> Ruling:
    """Return whether shards that were rolled back may serve in the place of a run's target.

    Each is compared with the shard that it was. No shard is named, as its number would say
    something of who was in it.
    """
    before = load_version(run.target)
    examples = never_trained_on(run)
    if len(examples) < SMALLEST_TEST:
        return Ruling(allowed=True, reason=NOT_MEASURED.format(why=_too_few(examples)))
    if not isinstance(before, SoftVote):
        raise NotAVote(f"{run.target} is no vote of shards, so none of it can be rolled back.")
    were = [before.members[number] for number in found.numbers]
    found_so = _measured(
        run,
        (before, SoftVote(found.members).eval()),
        zip(were, found.members, strict=True),
        examples,
    )
    worst = max(found_so.shards, key=lambda one: one.before - one.after)
    only = replace(found_so, shards=[worst])
    return passed(gate(*only.sides(), found_so.thresholds(), shard=WORST))


def _compared(run: UnlearningRun, result: ModelVersion) -> dict[str, Any]:
    before, after = load_version(run.target), load_version(result)
    examples = never_trained_on(run)
    if len(examples) < SMALLEST_TEST:
        return _unknown(_too_few(examples))
    found = _measured(run, (before, after), _pairs(before, after), examples)
    rulings = gate(*found.sides(), found.thresholds())
    return {
        "records": len(examples),
        "margin": found.margin,
        "accuracy": _row(found.plain),
        "adversarial": _row(found.attacked) if found.attacked else None,
        "shards": [_row(one) for one in found.shards],
        "allowed": passed(rulings).allowed,
        "reasons": [one.reason for one in rulings],
        "not_computed": "",
    }


def _measured(
    run: UnlearningRun,
    models: tuple[nn.Module, nn.Module],
    shards: Iterable[tuple[nn.Module, nn.Module]],
    examples: Examples,
) -> _Measured:
    return _Measured(
        margin=_margin(run),
        plain=_paired(models, examples),
        attacked=_attacked(*models, examples),
        shards=[_paired(each, examples) for each in shards],
    )


def _pairs(before: nn.Module, after: nn.Module) -> list[tuple[nn.Module, nn.Module]]:
    """Return the models of each shard; none where the two are not votes of as many."""
    if not (isinstance(before, SoftVote) and isinstance(after, SoftVote)):
        return []
    if len(before.members) != len(after.members):
        return []
    return list(zip(before.members, after.members, strict=True))


def _paired(models: tuple[nn.Module, nn.Module], examples: Examples) -> Paired:
    return paired(*(scores_of(one, examples)[1] for one in models))


def _margin(run: UnlearningRun) -> float:
    case = cases.cases_of_run(run.pk).order_by("received_at").first()
    return EvidencePolicy.from_dict(case.policy if case else {}).margin_utility


def _attacked(before: nn.Module, after: nn.Module, examples: Examples) -> Paired | None:
    """Return accuracies on moved inputs; None where that is not asked for or cannot be."""
    step = in_force("RELEASE_ATTACK")
    if not step:
        return None
    try:
        found = [outputs_under_attack(one, examples, step).correct for one in (before, after)]
    except NoGradient:
        return None
    return paired(*found)


def _row(found: Paired) -> dict[str, float]:
    return {"before": found.before, "after": found.after, "noise": found.noise}


def _too_few(examples: StoredExamples) -> str:
    return f"{len(examples)} records were never trained on, and {SMALLEST_TEST} are needed."


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
