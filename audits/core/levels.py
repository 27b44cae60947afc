"""One contrast at every level, from the kept numbers alone. Unit of every bound: the model."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from audits.core.bounds import (
    SMALLEST_SAMPLE,
    Bounds,
    average_bounds,
    gaussian_bound,
    guess_bounds,
    shift_bound,
    threshold_bounds,
)
from audits.core.estimates import Contrast, Estimate
from audits.core.sequential import sequence_bounds

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from audits.core.kept import KeptContrast

    Floats: TypeAlias = NDArray[np.float64]

UNIT = "model"


@dataclass(frozen=True, kw_only=True)
class Terms:
    """At which error the bounds of a look are made.

    Attributes:
        alpha: of each one-sided bound.
        upper: of upper bounds in a sequential audit, smaller where earlier attempts lost.
        record: of the bounds on single records, about which no bets are kept.
        sequential: whether the bounds must hold at any stopping time.
    """

    alpha: float
    upper: float
    record: float
    sequential: bool = False

    @classmethod
    def fixed(cls, alpha: float) -> Terms:
        """Return the terms of a look that was planned, with one error for everything."""
        return cls(alpha=alpha, upper=alpha, record=alpha)


@dataclass(frozen=True, kw_only=True)
class Sums:
    """One subject's sums of log-likelihood ratios per model, in the order of training."""

    inside: Floats
    outside: Floats

    @property
    def right_in(self) -> Floats:
        """Return 1 for each model of the first arm that was guessed right, else 0."""
        return np.asarray(self.inside > 0, np.float64)

    @property
    def right_out(self) -> Floats:
        """Return the same of the second arm."""
        return np.asarray(self.outside <= 0, np.float64)


def contrast(kept: KeptContrast, alpha: float | Terms) -> Contrast:
    """Estimate one contrast at every level."""
    terms = alpha if isinstance(alpha, Terms) else Terms.fixed(alpha)
    whole = _guesses(whole_set(kept), kept, terms)
    return Contrast(
        record_average=_record_average(kept, terms),
        subject=_worst_subject(kept, terms) if kept.subjects_in else whole,
        worst_record=_worst_record(kept, terms.record),
        whole_set=whole if kept.subjects_in else None,
    )


def whole_set(kept: KeptContrast) -> Sums:
    """Return the sums over all records."""
    return Sums(inside=np.array(kept.subject_in), outside=np.array(kept.subject_out))


def subjects(kept: KeptContrast) -> tuple[Sums, ...]:
    """Return each subject's sums, in the order in which they are kept."""
    if not kept.subjects_in:
        return (whole_set(kept),)
    pairs = zip(kept.subjects_in, kept.subjects_out, strict=True)
    return tuple(Sums(inside=np.array(one), outside=np.array(other)) for one, other in pairs)


def subject_estimates(kept: KeptContrast, terms: Terms) -> tuple[Estimate, ...]:
    """Estimate each subject by itself, without a correction and with nothing shown beside it."""
    return tuple(_estimate(_bounds(sums, kept, terms), kept) for sums in subjects(kept))


def record_guesses(kept: KeptContrast, alpha: float) -> Bounds:
    """Bound every record by itself, from its counts."""
    return guess_bounds(kept.right_in, kept.n_in, kept.right_out, kept.n_out, alpha)


def records_without_signal(kept: KeptContrast, alpha: float) -> tuple[int, ...]:
    """Return the random indices of records that the attack was not shown to see."""
    lower = np.asarray(record_guesses(kept, alpha).lower)
    return tuple(int(position) for position in np.flatnonzero(lower <= 0))


def variance_floors(kept: KeptContrast) -> tuple[float, float]:
    """Return, for each arm, the variance of a share of right guesses of independent records."""
    return (
        _independent_variance(kept.right_in, kept.n_in),
        _independent_variance(kept.right_out, kept.n_out),
    )


def _independent_variance(right: tuple[int, ...], models: int) -> float:
    chance = (np.array(right) + 1) / (models + 2)
    return float((chance * (1 - chance)).sum() / len(right) ** 2)


def _estimate(bounds: Bounds, kept: KeptContrast, **shown: float | None) -> Estimate:
    return Estimate(
        estimate=float(bounds.estimate),
        lower=float(bounds.lower),
        upper=float(bounds.upper),
        method=bounds.method,
        unit=UNIT,
        n_in=kept.n_in,
        n_out=kept.n_out,
        **shown,
    )


def _record_average(kept: KeptContrast, terms: Terms) -> Estimate:
    inside, outside = np.array(kept.averages_in), np.array(kept.averages_out)
    if terms.sequential:
        bounds = sequence_bounds(inside, outside, terms.alpha, alpha_upper=terms.upper)
    else:
        bounds = average_bounds(inside, outside, terms.alpha, variance_floor=variance_floors(kept))
    return _estimate(bounds, kept)


def _bounds(sums: Sums, kept: KeptContrast, terms: Terms) -> Bounds:
    if terms.sequential:
        return sequence_bounds(sums.right_in, sums.right_out, terms.alpha, alpha_upper=terms.upper)
    right = int(sums.right_in.sum()), int(sums.right_out.sum())
    return guess_bounds(right[0], kept.n_in, right[1], kept.n_out, terms.alpha)


def _guesses(sums: Sums, kept: KeptContrast, terms: Terms) -> Estimate:
    return _estimate(_bounds(sums, kept, terms), kept, **_shown(sums, terms.record))


def _shown(sums: Sums, alpha: float) -> dict[str, float | None]:
    """Return the two upper bounds that decide nothing."""
    best = threshold_bounds(sums.inside, sums.outside, alpha).upper
    if min(len(sums.inside), len(sums.outside)) < SMALLEST_SAMPLE:
        return {"best_threshold_upper": best}
    found = gaussian_bound(sums.inside, sums.outside, alpha)
    usable = found.upper if found.usable else None
    return {"model_based_upper": usable, "best_threshold_upper": best}


def _worst_subject(kept: KeptContrast, terms: Terms) -> Estimate:
    """Return the largest bounds over subjects; the lower one is corrected for the choice.

    The upper one needs no correction: it holds for the subject who is truly the worst.
    """
    everyone = subjects(kept)
    chosen = replace(terms, alpha=terms.alpha / len(everyone))
    plain = [_bounds(sums, kept, terms) for sums in everyone]
    shown = [_shown(sums, terms.record) for sums in everyone]
    worst = Bounds(
        estimate=max(found.estimate for found in plain),
        lower=max(_bounds(sums, kept, chosen).lower for sums in everyone),
        upper=max(found.upper for found in plain),
        method=f"largest of {len(everyone)} subjects, {plain[0].method}",
    )
    names = ("model_based_upper", "best_threshold_upper")
    largest = {name: _largest([each.get(name) for each in shown]) for name in names}
    return _estimate(worst, kept, **largest)


def _largest(values: list[float | None]) -> float | None:
    """Return the largest; None where one is missing, as the largest might be that."""
    known = [value for value in values if value is not None]
    return max(known) if len(known) == len(values) else None


def _worst_record(kept: KeptContrast, alpha: float) -> Estimate:
    """Return the largest bounds over records; the lower one is corrected for the choice."""
    plain = record_guesses(kept, alpha)
    chosen = record_guesses(kept, alpha / len(kept.right_in))
    worst = Bounds(
        estimate=np.max(plain.estimate),
        lower=np.max(chosen.lower),
        upper=np.max(plain.upper),
        method=f"largest of {len(kept.right_in)} records, {plain.method}",
    )
    if kept.record_shift is None:
        return _estimate(worst, kept)
    shown = shift_bound(kept.record_shift, kept.n_in, kept.n_out, alpha)
    return _estimate(worst, kept, model_based_upper=shown)
