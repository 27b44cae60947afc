"""At which error a look's bounds are made, from what was kept and the policy."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from audits.core.levels import Terms
from audits.core.policy import Mode

if TYPE_CHECKING:
    from audits.core.kept import Kept
    from audits.core.policy import EvidencePolicy


def terms_of(kept: Kept, alpha: float, policy: EvidencePolicy) -> Terms:
    """Return at which error the bounds of a look are made; ``alpha`` is the look's."""
    if policy.mode is Mode.LOOKS:
        return Terms.fixed(alpha)
    return Terms(
        alpha=alpha,
        upper=alpha * math.exp(-kept.debt),
        record=policy.share_of(kept.models_per_arm),
        sequential=True,
    )
