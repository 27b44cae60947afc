"""What the evidence of one look says of what is stored here besides its own numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from audits.core.attempts import debt, lost
from audits.core.kept import Kept
from audits.core.look_account import account_of, effect_of
from audits.core.policy import Mode
from audits.models import ShadowResult
from audits.queries.look_scores import look_scores
from audits.services.score_salts import salt_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from audits.core.policy import EvidencePolicy
    from audits.core.verdict import Verdict
    from audits.models import AuditPlan
    from audits.queries.attempts import Attempt
    from unlearning.models import UnlearningRun


def payload_of(
    attacks: Mapping[str, Kept],
    verdict: Verdict,
    policy: EvidencePolicy,
    before: Sequence[Attempt],
    not_made: Mapping[str, str],
) -> dict[str, Any]:
    """Return the account of a look, and of the audits before it."""
    earlier = [_earlier(one) for one in before]
    return account_of(attacks, verdict, policy, not_made, earlier=earlier)


def owed(before: Sequence[Attempt], policy: EvidencePolicy) -> float:
    """Return what an audit owes for those before it; nothing where looks are planned."""
    if policy.mode is Mode.LOOKS:
        return 0.0
    return debt((_worst(one, policy) for one in before), policy)


def _worst(one: Attempt, policy: EvidencePolicy) -> Kept | None:
    """Return what lost most of an attempt that several cases shared; None if nothing is left."""
    if one.open or one.spent:
        return None
    kept = map(Kept.from_dict, one.kept)
    return max(kept, key=lambda each: lost(each, policy), default=None)


def retained_effect(run: UnlearningRun, per_arm: int, alpha: float) -> dict[str, Any]:
    """Return what unlearning did to the records that stay, or why that was not computed."""
    rows = ShadowResult.objects.filter(run=run, index__lt=2 * per_arm).order_by("index")
    pairs = list(rows.values_list("row__exposure_before", "row__exposure_after"))
    return effect_of(pairs, alpha)


def committed(plan: AuditPlan, look: int) -> dict[str, Any]:
    """Return the commitment to the scores of a look, as a member of its payload.

    Nothing once the salt is gone, as the scores are then.
    """
    scores, salt = look_scores(plan, look), salt_of(run_id=plan.run_id)
    if salt is None:
        return {}
    return {"scores": {"commitment": scores.commitment(salt), "models": len(scores.rows)}}


def _earlier(one: Attempt) -> dict[str, Any]:
    return {
        "run": str(one.run.pk),
        "method": one.method,
        "outcome": one.outcome,
        "open": one.open,
    }
