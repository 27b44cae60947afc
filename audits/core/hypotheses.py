"""Evidence against "the advantage is at most the margin", for every level and subject at once.

A fail is corrected over these, so each is a p-value: the smallest error probability at which the
lower bound would still exceed the margin.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from scipy import special, stats

from audits.core.bounds import split_guess_bounds, spreads, welch
from audits.core.estimates import Hypothesis, Level
from audits.core.levels import subject_estimates, subjects, variance_floors, whole_set
from audits.core.sequential import p_above

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike, NDArray

    from audits.core.estimates import Contrast
    from audits.core.kept import KeptContrast
    from audits.core.levels import Sums, Terms

    Floats: TypeAlias = NDArray[np.float64]

HALVINGS = 60


def hypotheses(
    kept: KeptContrast, found: Contrast, terms: Terms, margin: Callable[[Level], float]
) -> tuple[Hypothesis, ...]:
    """Return one hypothesis for each level, and for each subject where there are several.

    ``found`` is the contrast that was estimated from the same numbers on the same terms.

    All records together make one hypothesis, whose p-value is corrected for their number: a set
    of a thousand records would otherwise leave nothing to the other levels.
    """
    average, record = Level.RECORD_AVERAGE, Level.WORST_RECORD
    result = [
        Hypothesis(
            level=average, p=_average(kept, terms, margin(average)), found=found.record_average
        ),
        Hypothesis(level=record, p=_record(kept, terms, margin(record)), found=found.worst_record),
    ]
    of_subject = margin(Level.SUBJECT)
    several = len(kept.subjects_in) > 0
    estimates = subject_estimates(kept, terms) if several else (found.subject,)
    each = zip(subjects(kept), estimates, strict=True)
    result += [
        Hypothesis(
            level=Level.SUBJECT,
            part=number if several else 0,
            p=_sums(sums, terms, of_subject),
            found=estimate,
        )
        for number, (sums, estimate) in enumerate(each, start=1)
    ]
    if found.whole_set is not None:
        whole = _sums(whole_set(kept), terms, margin(Level.WHOLE_SET))
        result.append(Hypothesis(level=Level.WHOLE_SET, p=whole, found=found.whole_set))
    return tuple(result)


def _average(kept: KeptContrast, terms: Terms, margin: float) -> float:
    inside, outside = np.array(kept.averages_in), np.array(kept.averages_out)
    if terms.sequential:
        return p_above(inside, outside, margin)
    return average_p(inside, outside, margin, variance_floor=variance_floors(kept))


def _sums(sums: Sums, terms: Terms, margin: float) -> float:
    if terms.sequential:
        return p_above(sums.right_in, sums.right_out, margin)
    right = int(sums.right_in.sum()), int(sums.right_out.sum())
    return float(guess_p(right[0], len(sums.inside), right[1], len(sums.outside), margin))


def _record(kept: KeptContrast, terms: Terms, margin: float) -> float:
    """Return the smallest p-value of a record, times their number.

    No bets are kept about single records, so in a sequential audit what a look may spend on them
    is less than ``alpha``, and the p-value is larger by as much.
    """
    each = guess_p(kept.right_in, kept.n_in, kept.right_out, kept.n_out, margin)
    return min(1.0, float(each.min()) * len(kept.right_in) * terms.alpha / terms.record)


def guess_p(
    right_in: ArrayLike, n_in: int, right_out: ArrayLike, n_out: int, margin: float
) -> Floats:
    """Return p-values of "the advantage is at most the margin": ``guess_bounds`` turned round.

    The smallest alpha at which the lower bound reaches the margin. Any shape.
    """
    tp, tn = np.asarray(right_in, np.int64), np.asarray(right_out, np.int64)
    if n_in == n_out:
        exact = stats.binom.sf(tp + tn - 1, n_in + n_out, (1 + margin) / 2)
        return np.asarray(exact, np.float64)
    low, high = np.zeros(tp.shape), np.ones(tp.shape)
    for _ in range(HALVINGS):  # the lower bound grows with alpha
        middle = (low + high) / 2
        above = split_guess_bounds(tp, n_in, tn, n_out, middle).lower >= margin
        low, high = np.where(above, low, middle), np.where(above, middle, high)
    return np.asarray(high, np.float64)


def average_p(
    inside: Floats,
    outside: Floats,
    margin: float,
    *,
    variance_floor: tuple[float, float] = (0.0, 0.0),
) -> float:
    """Return the p-value of a record average: ``average_bounds`` turned round.

    Raises:
        UnusableArm: an arm has fewer than two models.
    """
    arms, parts = spreads(inside, outside, variance_floor)
    error = float(np.sqrt(sum(parts)))
    above = float(arms[0].mean() + arms[1].mean() - 1) - margin
    if error <= 0:
        return float(above <= 0)
    return float(special.stdtr(welch(parts, arms), -above / error))
