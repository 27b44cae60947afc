"""Ask the canaries that a run erased with its forget set: they fail its result or say nothing."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from torch.utils.data import TensorDataset

from audits.core.attack import CanaryAttack
from audits.core.canaries import alignments
from audits.core.kinds import of_kind
from audits.core.planted import KeptCanaries, judge, plain
from audits.core.policy import EvidencePolicy
from audits.core.scores import scores_of
from audits.models import AuditPlan, Evidence
from audits.queries import cases
from audits.services import evidence
from audits.services.verdicts import Finding
from unlearning.core.canaries import InUnits, why_not
from unlearning.core.recipe import RecipeChanged, RecipeNotAllowed
from unlearning.execution.loading import NoRecipe, load_version, recipe_of
from unlearning.execution.planting import drawn_again
from unlearning.queries.canaries import canaries_of, spent_by

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from torch import nn

    from audits.core.planted import PlantedVerdict
    from unlearning.core.canaries import CanarySet
    from unlearning.models import Canaries, SpentCanaries, UnlearningRun

KIND = Evidence.Kind.CANARIES
NONE_PLANTED = (
    "It asks canaries that were planted before training, and {version} was trained without "
    "(EXPUNGE_CANARIES, or manage.py train --canaries)."
)
NONE_ERASED = (
    "It asks canaries that are erased with the records. This run erased none: those of {version} "
    "were all spent by earlier runs, or the method removes whole classes."
)


def canary_findings(run: UnlearningRun) -> list[Finding]:
    """Return what the canaries tell, once per run; nothing where the run erased none."""
    spent, row = spent_by(run), canaries_of(run.target)
    if run.unlearned is None or spent is None or row is None:
        return []
    if run.evidence.filter(kind=KIND).exists():
        return []
    drawn = drawn_again(row, recipe_of(run.target))
    kept = _kept(drawn, spent, load_version(run.target), load_version(run.unlearned))
    smoke = not evidence.needs_shadows(run)
    told = judge(kept, alpha=_alpha(run), smoke=smoke)
    return [
        Finding(
            kind=KIND,
            look=0,
            models_per_arm=0,
            payload={**_payload(row, kept, told), "smoke": smoke},
            outcome=told.verdict.outcome.value if told.verdict else "",
            reasons=told.verdict.reasons if told.verdict else (),
            final=told.verdict is not None,
        )
    ]


def with_reasons(run: UnlearningRun, findings: Sequence[Finding]) -> list[Finding]:
    """Return findings that say of the attacks on canaries why they were not run, if they were not.

    Args:
        run: what is judged.
        findings: all that is concluded now, with those of ``canary_findings``.
    """
    asked = [one.payload for one in findings if one.kind == KIND]
    asked += run.evidence.filter(kind=KIND).values_list("payload", flat=True)
    return [_reasoned(one, _reason(run), asked=bool(asked)) for one in findings]


def _reasoned(finding: Finding, reason: str, *, asked: bool) -> Finding:
    if "not_run" not in finding.payload:
        return finding
    titles = {attack.title for attack in of_kind(CanaryAttack).values()}
    listed = [
        {**one, "reason": reason} if one["attack"] in titles else one
        for one in finding.payload["not_run"]
        if not (asked and one["attack"] in titles)
    ]
    return replace(finding, payload={**finding.payload, "not_run": listed})


def _reason(run: UnlearningRun) -> str:
    if canaries_of(run.target) is not None:
        return NONE_ERASED.format(version=run.target)
    try:
        never = why_not(recipe_of(run.target), base=run.base is not None)
    except (NoRecipe, RecipeChanged, RecipeNotAllowed):
        never = ""
    return never or NONE_PLANTED.format(version=run.target)


def _alpha(run: UnlearningRun) -> float:
    """Return the error that was fixed for tests of the deployed model itself, before the audit."""
    plan = AuditPlan.objects.filter(run=run).first()
    case = cases.cases_of_run(run.pk).order_by("received_at").first()
    policy: Mapping[str, Any] = plan.policy if plan else case.policy if case else {}
    return EvidencePolicy.from_dict(policy).alpha_instance


def _kept(
    drawn: CanarySet, spent: SpentCanaries, before: nn.Module, after: nn.Module
) -> KeptCanaries:
    share = slice(spent.first, spent.last)
    examples = TensorDataset(drawn.noisy[share], drawn.labels[share])

    def leaning(model: nn.Module) -> tuple[float | None, ...]:
        seen = alignments(InUnits(model, drawn.units), drawn.clean, drawn.labels, drawn.seed)
        return plain(seen[share])

    def margins(model: nn.Module) -> tuple[float | None, ...]:
        return plain(np.asarray(scores_of(model, examples)[0], np.float64))

    return KeptCanaries(
        included=tuple(drawn.included[share].tolist()),
        leaning_before=leaning(before),
        leaning_after=leaning(after),
        margins_before=margins(before),
        margins_after=margins(after),
    )


def _payload(row: Canaries, kept: KeptCanaries, told: PlantedVerdict) -> dict[str, Any]:
    titles = {name: attack.title for name, attack in of_kind(CanaryAttack).items()}
    return {
        "planted": row.number,
        "digest": row.digest,
        "kept": kept.as_dict(),
        "findings": {
            name: {"title": titles[name], **asdict(one)} for name, one in told.found.items()
        },
        "not_made": {titles[name]: why for name, why in told.not_made.items()},
        "reasons": list(told.sentences),
    }
