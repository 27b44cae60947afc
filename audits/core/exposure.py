"""Did unlearning make the records that stay easier to see? A description, not a verdict.

Shadow models all learn the records that stay, so their membership cannot be compared between
models as that of the erased records is. What can be compared is how far they stand out from
records that no model learned, before and after unlearning, model by model. The two sets are of
different people, so the number itself says little; its increase is what unlearning did.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from scipy import special

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats: TypeAlias = NDArray[np.float64]

SMALLEST_RETAINED = 200
LARGEST_INCREASE = 0.05
METHOD = "paired t over models: best threshold between retained and never-learned records"


@dataclass(frozen=True, kw_only=True)
class SideEffect:
    """The mean increase of the exposure with one-sided bounds; ``flagged`` above the tolerance."""

    before: float
    after: float
    increase: float
    lower: float
    upper: float
    models: int
    flagged: bool
    method: str = METHOD


def exposure(retained: Floats, strangers: Floats) -> float | None:
    """Return max |TPR - FPR| over thresholds on one model's margins; shapes [r] and [p].

    None where there are too few retained records, or no strangers.
    """
    if len(retained) < SMALLEST_RETAINED or not len(strangers):
        return None
    cuts = np.concatenate([retained, strangers])
    share = np.searchsorted(np.sort(retained), cuts) / len(retained)
    other = np.searchsorted(np.sort(strangers), cuts) / len(strangers)
    return float(np.abs(share - other).max())


def side_effect(before: Floats, after: Floats, alpha: float) -> SideEffect | None:
    """Compare exposures of the same models before and after unlearning, shape [n] each.

    None with fewer than two models.
    """
    increase = np.asarray(after, np.float64) - np.asarray(before, np.float64)
    count = len(increase)
    if count < 2:  # noqa: PLR2004  (a spread needs two)
        return None
    mean = float(increase.mean())
    error = float(increase.std(ddof=1) / np.sqrt(count))
    reach = float(special.stdtrit(count - 1, 1 - alpha)) * error
    return SideEffect(
        before=float(np.mean(before)),
        after=float(np.mean(after)),
        increase=mean,
        lower=mean - reach,
        upper=mean + reach,
        models=count,
        flagged=mean - reach > LARGEST_INCREASE,
    )
