"""Confidence bounds on what an attack can tell, with the model as the unit.

``n_in`` models learned the records, ``n_out`` never saw them. An attack guesses for each model;
its advantage is TPR + TNR - 1. Every bound is one-sided at ``alpha``. A negative estimate is noise
of the fit, since an attacker may always do nothing: no upper bound is helped by one.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from scipy import special, stats

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Floats: TypeAlias = NDArray[np.float64]

SHAPIRO_P = 0.01
VARIANCE_RATIO = 2.0
SMALLEST_SAMPLE = 4


class UnusableArm(ValueError):
    """An arm is too small, or not finite, for a bound."""


@dataclass(frozen=True, kw_only=True)
class Bounds:
    """An advantage in [-1, 1] and its one-sided bounds; floats, or arrays of one shape."""

    estimate: Any
    lower: Any
    upper: Any
    method: str


@dataclass(frozen=True, kw_only=True)
class GaussianBound:
    """A model-based upper bound; ``why`` is a sentence, empty where the bound is usable.

    ``shift`` is the distance of the arms, in pooled standard deviations.
    """

    upper: float
    shift: float
    why: str

    @property
    def usable(self) -> bool:
        """Return whether the scores look Gaussian with one variance."""
        return not self.why


def clopper_pearson_lower(successes: ArrayLike, trials: ArrayLike, alpha: ArrayLike) -> Floats:
    """Return the exact lower bound on a proportion (Clopper and Pearson 1934); any shape."""
    k, n = np.asarray(successes, np.float64), np.asarray(trials, np.float64)
    bound = special.betaincinv(np.maximum(k, 1), np.maximum(n - k + 1, 1), alpha)
    return np.asarray(np.where(k > 0, bound, 0.0), np.float64)


def clopper_pearson_upper(successes: ArrayLike, trials: ArrayLike, alpha: ArrayLike) -> Floats:
    """Return the exact upper bound on a proportion (Clopper and Pearson 1934); any shape."""
    k, n = np.asarray(successes, np.float64), np.asarray(trials, np.float64)
    bound = special.betaincinv(k + 1, np.maximum(n - k, 1), 1 - np.asarray(alpha))
    return np.asarray(np.where(k < n, bound, 1.0), np.float64)


def guess_bounds(
    right_in: ArrayLike, n_in: int, right_out: ArrayLike, n_out: int, alpha: float
) -> Bounds:
    """Bound the advantage of yes-or-no guesses from how many were right in each arm.

    Arms of one size: the 2n guesses are independent with mean success (1 + advantage) / 2, and
    among all such sums the binomial has the heaviest tails beyond its mean (Hoeffding 1956), so
    one Clopper-Pearson interval on all of them is valid, and much shorter than two: 0.22 instead
    of 0.36 above an estimate of 0 with 32 models per arm. Arms of different sizes: one interval
    per arm at ``alpha / 2``.
    """
    tp, tn = np.asarray(right_in, np.int64), np.asarray(right_out, np.int64)
    estimate = tp / n_in + tn / n_out - 1
    if n_in != n_out:
        return split_guess_bounds(tp, n_in, tn, n_out, alpha)
    total = n_in + n_out
    lower = 2 * clopper_pearson_lower(tp + tn, total, alpha) - 1
    upper = 2 * clopper_pearson_upper(np.maximum(tp + tn, n_in), total, alpha) - 1
    return Bounds(estimate=estimate, lower=lower, upper=upper, method="pooled Clopper-Pearson")


def split_guess_bounds(
    tp: NDArray[np.int64], n_in: int, tn: NDArray[np.int64], n_out: int, alpha: ArrayLike
) -> Bounds:
    """Bound the advantage with one interval per arm; ``alpha`` may differ by element."""
    half = np.asarray(alpha) / 2
    lower = clopper_pearson_lower(tp, n_in, half) + clopper_pearson_lower(tn, n_out, half) - 1
    # Lift the right guesses outside to the count that makes the estimate zero or more.
    lifted = np.maximum(tn, np.ceil(n_out * (1 - tp / n_in)).astype(np.int64))
    upper = clopper_pearson_upper(tp, n_in, half) + clopper_pearson_upper(lifted, n_out, half) - 1
    estimate = tp / n_in + tn / n_out - 1
    return Bounds(
        estimate=estimate, lower=lower, upper=upper, method="Clopper-Pearson at alpha/2 per arm"
    )


def average_bounds(
    inside: Floats,
    outside: Floats,
    alpha: float,
    *,
    variance_floor: tuple[float, float] = (0.0, 0.0),
) -> Bounds:
    """Bound the record-average advantage from one share of right guesses per model.

    Records under one model are correlated, so the standard error comes from the spread over
    models only (Welch's t). ``variance_floor`` is what independent guesses would give per arm:
    a handful of models that happen to agree must not look certain.

    Args:
        inside: shares of records guessed right under models that learned them, shape [n_in].
        outside: the same under models that never saw them, shape [n_out].
        alpha: error probability of each bound.
        variance_floor: smallest believable variance of a share, for each arm.

    Raises:
        UnusableArm: an arm has fewer than two models.
    """
    arms, parts = spreads(inside, outside, variance_floor)
    error = float(np.sqrt(sum(parts)))
    estimate = float(arms[0].mean() + arms[1].mean() - 1)
    reach = float(special.stdtrit(welch(parts, arms), 1 - alpha)) * error
    return Bounds(
        estimate=estimate,
        lower=max(estimate - reach, -1.0),
        upper=min(max(estimate, 0.0) + reach, 1.0),
        method="Welch t over models",
    )


def spreads(
    inside: Floats, outside: Floats, variance_floor: tuple[float, float]
) -> tuple[tuple[Floats, Floats], list[float]]:
    """Return both arms, checked, and what each adds to the squared standard error."""
    arms = (_arm(inside, 2), _arm(outside, 2))
    floors = zip(arms, variance_floor, strict=True)
    return arms, [max(float(arm.var(ddof=1)), floor) / len(arm) for arm, floor in floors]


def welch(parts: list[float], arms: tuple[Floats, Floats]) -> float:
    """Return Satterthwaite's degrees of freedom, the smaller arm's where nothing varies."""
    smallest = min(len(arm) for arm in arms) - 1
    terms = sum(part**2 / (len(arm) - 1) for part, arm in zip(parts, arms, strict=True))
    return sum(parts) ** 2 / terms if terms > 0 else float(smallest)


def threshold_bounds(inside: Floats, outside: Floats, alpha: float) -> Bounds:
    """Bound the advantage of the best threshold, in either direction, on one scalar per model.

    The upper bound at the true best threshold already holds, so the many thresholds need no
    correction; the lower bound is Bonferroni-corrected over thresholds and directions.

    Raises:
        UnusableArm: an arm is empty or holds a value that is not finite.
    """
    inside, outside = _arm(inside, 1), _arm(outside, 1)
    cuts = np.unique(np.concatenate([inside, outside, [np.inf]]))
    tp = len(inside) - np.searchsorted(np.sort(inside), cuts)
    fp = len(outside) - np.searchsorted(np.sort(outside), cuts)
    each = alpha / (4 * len(cuts))
    arms = ((tp, len(inside)), (fp, len(outside)))
    return Bounds(
        estimate=float(np.abs(tp / len(inside) - fp / len(outside)).max()),
        lower=max(0.0, *(_gap(one, other, each, lower=True) for one, other in _both(arms))),
        upper=min(
            1.0, max(_gap(one, other, alpha / 2, lower=False) for one, other in _both(arms))
        ),
        method="best threshold, Clopper-Pearson",
    )


_Arm: TypeAlias = "tuple[NDArray[np.int64], int]"


def _both(arms: tuple[_Arm, _Arm]) -> tuple[tuple[_Arm, _Arm], tuple[_Arm, _Arm]]:
    return (arms, (arms[1], arms[0]))


def _gap(one: _Arm, other: _Arm, alpha: float, *, lower: bool) -> float:
    """Return the largest bound, over thresholds, on how far one rate exceeds the other."""
    first, second = clopper_pearson_lower, clopper_pearson_upper
    if not lower:
        first, second = second, first
    return float((first(*one, alpha) - second(*other, alpha)).max())


def gaussian_bound(inside: Floats, outside: Floats, alpha: float) -> GaussianBound:
    """Bound the best-threshold advantage if both arms are Gaussian with one variance.

    Two one-sided tests (Schuirmann 1987) turned round: the largest shift not rejected, as an
    advantage 2 Phi(shift / 2) - 1.

    Raises:
        UnusableArm: an arm has fewer than four models.
    """
    inside, outside = _arm(inside, SMALLEST_SAMPLE), _arm(outside, SMALLEST_SAMPLE)
    free = len(inside) + len(outside) - 2
    squares = ((inside - inside.mean()) ** 2).sum() + ((outside - outside.mean()) ** 2).sum()
    if squares <= 0:
        return GaussianBound(upper=1.0, shift=np.inf, why="The scores do not vary.")
    shift = float(abs(inside.mean() - outside.mean()) / np.sqrt(squares / free))
    return GaussianBound(
        upper=shift_bound(shift, len(inside), len(outside), alpha),
        shift=shift,
        why=_why(inside, outside),
    )


def shift_bound(shift: float, n_in: int, n_out: int, alpha: float) -> float:
    """Return ``gaussian_bound``'s upper bound from the distance of the arms alone.

    Args:
        shift: distance of the arms' means, in pooled standard deviations.
        n_in: models in one arm.
        n_out: models in the other.
        alpha: error probability.
    """
    reach = shift + special.stdtrit(n_in + n_out - 2, 1 - alpha) * np.sqrt(1 / n_in + 1 / n_out)
    return float(2 * special.ndtr(reach / 2) - 1)


def _why(inside: Floats, outside: Floats) -> str:
    variances = sorted((float(inside.var(ddof=1)), float(outside.var(ddof=1))))
    if not variances[1] < VARIANCE_RATIO * variances[0]:
        return f"The arms' variances differ by a factor of {VARIANCE_RATIO:g} or more."
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a range of zero, or more than 5000 models
        smallest = min(float(stats.shapiro(arm).pvalue) for arm in (inside, outside))
    if not smallest > SHAPIRO_P:
        return f"The scores do not look Gaussian (Shapiro-Wilk p = {smallest:.4f})."
    return ""


def epsilon_lower_bound(
    right_in: int, n_in: int, right_out: int, n_out: int, *, alpha: float, delta: float = 0.0
) -> float:
    """Return a lower bound on epsilon of differential privacy from guesses at a fixed threshold.

    Above zero it proves a leak; a small value proves nothing, see ``epsilon_ceiling``.
    Source: Clopper-Pearson at ``alpha / 2`` on each rate, both directions (Nasr et al. 2021).
    """
    half = alpha / 2
    tpr = float(clopper_pearson_lower(right_in, n_in, half))
    fpr = float(clopper_pearson_upper(n_out - right_out, n_out, half))
    tnr = float(clopper_pearson_lower(right_out, n_out, half))
    fnr = float(clopper_pearson_upper(n_in - right_in, n_in, half))
    ratios = ((tpr - delta) / fpr, (tnr - delta) / fnr)
    return max(0.0, *(float(np.log(ratio)) for ratio in ratios if ratio > 0), 0.0)


def epsilon_ceiling(models_per_arm: int, alpha: float) -> float:
    """Return the largest epsilon that perfect guesses over so many models could prove."""
    n = models_per_arm
    return epsilon_lower_bound(n, n, n, n, alpha=alpha)


def _arm(values: Floats, smallest: int) -> Floats:
    values = np.asarray(values, np.float64)
    if values.ndim != 1 or len(values) < smallest:
        raise UnusableArm(
            f"An arm has shape {values.shape}; it must be one number per model, for at least "
            f"{smallest} models."
        )
    if not np.isfinite(values).all():
        raise UnusableArm("An arm holds a value that is not finite.")
    return values
