"""What an audit can show with more or fewer models: at its looks, and beyond the last one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from audits.core.attainable import power_of
from audits.core.policy import Mode
from audits.core.terms import terms_of

if TYPE_CHECKING:
    from audits.core.estimates import Level, Power
    from audits.core.kept import Kept
    from audits.core.levels import Terms
    from audits.core.policy import EvidencePolicy

BEYOND = (2, 4, 8)  # times the last look


@dataclass(frozen=True, kw_only=True)
class Point:
    """What so many models can show at one level.

    Attributes:
        models_per_arm: trained models, those that only fit the first attack among them.
        planned: whether the policy has a look there.
        power: what they can show.
    """

    models_per_arm: int
    planned: bool
    power: Power


def power_curve(kept: Kept, policy: EvidencePolicy) -> dict[Level, tuple[Point, ...]]:
    """Return what each number of models can show at the levels that decide, smallest first.

    The spread between records is that of this audit, at every number. Each look has its own
    error; beyond the last one it is that of the last. Levels for which no power is computed are
    left out.

    Args:
        kept: of the look that was taken.
        policy: the rules; its looks are the numbers of models, then multiples of the last.
    """
    fitted = kept.models_per_arm - min(kept.leak.n_in, kept.leak.n_out)
    sizes = (*policy.looks, *(times * policy.looks[-1] for times in BEYOND))
    found = {
        size: power_of(kept.leak, _terms(kept, policy, size), policy.margin, models=size - fitted)
        for size in sizes
    }
    return {
        level: tuple(
            Point(models_per_arm=size, planned=size in policy.looks, power=power[level])
            for size, power in found.items()
        )
        for level in policy.levels
        if level in found[sizes[0]]
    }


def _terms(kept: Kept, policy: EvidencePolicy, size: int) -> Terms:
    look = min(size, policy.looks[-1])
    alpha = policy.alpha if policy.mode is Mode.SEQUENTIAL else policy.share_of(look)
    return terms_of(kept, alpha, policy)
