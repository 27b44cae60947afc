"""The picture of one look: how well the attack did before and after unlearning."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from audits.core.likelihood import cross_fit
from audits.core.roc import log_band, log_roc
from audits.execution.plots import Curve, roc_svg

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from audits.core.shadow_scores import ShadowScores

    Floats: TypeAlias = NDArray[np.float64]
    Flags: TypeAlias = NDArray[np.bool_]

TITLE = "U-LiRA on the forget set, one point per record and shadow model"


def look_plot(scores: ShadowScores, *, seed: int) -> bytes:
    """Return the ROC of cross-fitted likelihood ratios before and after unlearning, as SVG."""
    stages = (("before unlearning", scores.before), ("after unlearning", scores.after))
    return roc_svg([_curve(label, one, scores.member, seed) for label, one in stages], title=TITLE)


def _curve(label: str, scores: Floats, member: Flags, seed: int) -> Curve:
    ratios = cross_fit(scores, member, seed=seed)
    return Curve(
        label=label, roc=log_roc(ratios, member), band=log_band(ratios, member, seed=seed)
    )
