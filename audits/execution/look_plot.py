"""How well the attack of a look did before and after unlearning: as a picture and in numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from audits.core.likelihood import cross_fit
from audits.core.roc import log_band, log_roc
from audits.execution.plots import Curve, roc_svg

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from audits.core.shadow_scores import ShadowScores

    Floats: TypeAlias = NDArray[np.float64]
    Flags: TypeAlias = NDArray[np.bool_]

TITLE = "U-LiRA on the forget set, one point per record and shadow model"
LABELS = {"before": "before unlearning", "leak": "after unlearning"}
DIGITS = 5


def look_curves(scores: ShadowScores, *, seed: int) -> dict[str, Curve]:
    """Return the ROC of cross-fitted likelihood ratios with its band, before and after."""
    stages = {"before": scores.before, "leak": scores.after}
    return {name: _curve(LABELS[name], one, scores.member, seed) for name, one in stages.items()}


def look_plot(curves: Mapping[str, Curve]) -> bytes:
    """Return the picture of the curves, as SVG."""
    return roc_svg(list(curves.values()), title=TITLE)


def curve_numbers(curves: Mapping[str, Curve]) -> dict[str, Any]:
    """Return where the drawn curves and their bands are, as plain JSON for the payload.

    True positive rates at 61 false positive rates; None to the left of a curve's first point. It
    says no more than the picture does. Nothing where a score, and so a curve, is not finite.
    """
    rates = next(one.band.fpr for one in curves.values() if one.band is not None)
    if not all(map(_is_finite, curves.values())):
        return {}
    return {
        "rates": _rounded(rates),
        "negatives": min(one.roc.negatives for one in curves.values()),
        **{name: _numbers(one, rates) for name, one in curves.items()},
    }


def _numbers(curve: Curve, rates: Floats) -> dict[str, Any]:
    assert curve.band is not None  # noqa: S101  (``_curve`` makes one)
    return {
        "auc": round(curve.roc.auc, DIGITS),
        "tpr": [None if rate is None else round(rate, DIGITS) for rate in curve.roc.along(rates)],
        "low": _rounded(curve.band.low),
        "high": _rounded(curve.band.high),
    }


def _is_finite(curve: Curve) -> bool:
    assert curve.band is not None  # noqa: S101  (``_curve`` makes one)
    numbers = (curve.roc.auc, curve.roc.tpr, curve.band.low, curve.band.high)
    return all(np.isfinite(one).all() for one in numbers)


def _rounded(values: Floats) -> list[float]:
    return [round(float(value), DIGITS) for value in values]


def _curve(label: str, scores: Floats, member: Flags, seed: int) -> Curve:
    ratios = cross_fit(scores, member, seed=seed)
    return Curve(
        label=label, roc=log_roc(ratios, member), band=log_band(ratios, member, seed=seed)
    )
