"""The picture of one look: how well the attack did before and after unlearning."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audits.core.likelihood import cross_fit
from audits.core.roc import log_roc
from audits.execution.plots import Curve, roc_svg

if TYPE_CHECKING:
    from audits.core.shadow_scores import ShadowScores

TITLE = "U-LiRA on the forget set, one point per record and shadow model"


def look_plot(scores: ShadowScores, *, seed: int) -> bytes:
    """Return the ROC of cross-fitted likelihood ratios before and after unlearning, as SVG."""
    curves = [
        Curve(
            label=label,
            roc=log_roc(cross_fit(matrix, scores.member, seed=seed), scores.member),
        )
        for label, matrix in (
            ("before unlearning", scores.before),
            ("after unlearning", scores.after),
        )
    ]
    return roc_svg(curves, title=TITLE)
