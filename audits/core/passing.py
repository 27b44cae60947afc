"""How strongly a pass speaks against "the leak is at least the margin".

The hypothesis that a pass rejects is a union: *some* deciding attack has at least the margin as
its advantage at *some* deciding level (for some subject). Whatever is smallest over attacks,
levels and subjects is an e-value of the union, and the largest p-value is a p-value of it.

* In the mode ``sequential`` the e-value is the bet as it stood when the audit ended, less what the
  attempt owes. A look is a stopping time, so that a fair bet has mean one there, and a smaller
  number is an e-value, too. The largest value on the way is not one.
* In ``looks`` there is a p-value: the smallest error at which the bound of the look that
  passed would still be below the margin, divided by that look's share of ``alpha``. Whichever look
  ended the audit, this is at least the smallest such quotient, which is a p-value (weighted
  Bonferroni).

That the attack saw the records before is tested by each audit at its own error, and not in here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from scipy import special, stats

from audits.core.bounds import split_guess_bounds, spreads, welch
from audits.core.estimates import Level
from audits.core.levels import subjects, variance_floors, whole_set
from audits.core.policy import Mode
from audits.core.sequential import path
from audits.core.strength import Strength

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import ArrayLike, NDArray

    from audits.core.kept import Kept, KeptContrast
    from audits.core.levels import Sums
    from audits.core.policy import EvidencePolicy

    Floats: TypeAlias = NDArray[np.float64]

HALVINGS = 60


def strength_of(attacks: Mapping[str, Kept], policy: EvidencePolicy) -> Strength:
    """Return what a pass rests on, from what each attack kept at the look that passed.

    Raises:
        NotALook: the policy did not plan a verdict at their number of models.
        ValueError: no attack is given.
    """
    found = [kept for kept in attacks.values() if kept.can_pass] or list(attacks.values())
    if not found:
        raise ValueError("No attack was kept; at least one is needed for a pass.")
    if policy.mode is Mode.SEQUENTIAL:
        return Strength(log_e=min(_bet(kept, policy) for kept in found))
    return Strength(p=max(_over_looks(kept, policy) for kept in found))


def leak_p(kept: KeptContrast, level: Level, margin: float) -> float:
    """Return the p-value of "the advantage is at least the margin": the upper bound turned round.

    The smallest error probability at which the bound of a planned look is at most the margin.
    """
    if level is Level.RECORD_AVERAGE:
        return _average(kept, margin)
    if level is Level.WORST_RECORD:
        each = guess_p_below(kept.right_in, kept.n_in, kept.right_out, kept.n_out, margin)
        return float(each.max())
    return max(_sums(one, kept, margin) for one in _parts(kept, level))


def guess_p_below(
    right_in: ArrayLike, n_in: int, right_out: ArrayLike, n_out: int, margin: float
) -> Floats:
    """Return p-values of "the advantage is at least the margin" from right guesses; any shape.

    ``bounds.guess_bounds`` turned round.
    """
    tp, tn = np.asarray(right_in, np.int64), np.asarray(right_out, np.int64)
    if n_in == n_out:
        right = np.maximum(tp + tn, n_in)
        return np.asarray(stats.binom.cdf(right, n_in + n_out, (1 + margin) / 2), np.float64)
    low, high = np.zeros(tp.shape), np.ones(tp.shape)
    for _ in range(HALVINGS):  # the upper bound falls as alpha grows
        middle = (low + high) / 2
        below = split_guess_bounds(tp, n_in, tn, n_out, middle).upper <= margin
        low, high = np.where(below, low, middle), np.where(below, middle, high)
    return np.asarray(high, np.float64)


def _over_looks(kept: Kept, policy: EvidencePolicy) -> float:
    share = policy.share_of(kept.models_per_arm) / policy.alpha
    policy.alpha_at(kept.models_per_arm)  # refuses what was not planned
    largest = max(leak_p(kept.leak, level, policy.margin(level)) for level in policy.levels)
    return min(1.0, largest / share)


def _bet(kept: Kept, policy: EvidencePolicy) -> float:
    """Return the logarithm of the smallest bet."""
    ends = [
        path(inside, outside, policy.margin(level)).against_leak[-1]
        for level in policy.levels
        for inside, outside in _guesses(kept.leak, level)
    ]
    return min(ends) - kept.debt


def _guesses(kept: KeptContrast, level: Level) -> list[tuple[Floats, Floats]]:
    if level is Level.RECORD_AVERAGE:
        return [(np.array(kept.averages_in), np.array(kept.averages_out))]
    return [(one.right_in, one.right_out) for one in _parts(kept, level)]


def _parts(kept: KeptContrast, level: Level) -> tuple[Sums, ...]:
    return (whole_set(kept),) if level is Level.WHOLE_SET else subjects(kept)


def _average(kept: KeptContrast, margin: float) -> float:
    inside, outside = np.array(kept.averages_in), np.array(kept.averages_out)
    arms, parts = spreads(inside, outside, variance_floors(kept))
    error = float(np.sqrt(sum(parts)))
    below = margin - max(float(arms[0].mean() + arms[1].mean() - 1), 0.0)
    if error <= 0:
        return float(below < 0)
    return float(special.stdtr(welch(parts, arms), -below / error))


def _sums(sums: Sums, kept: KeptContrast, margin: float) -> float:
    right = int(sums.right_in.sum()), int(sums.right_out.sum())
    return float(guess_p_below(right[0], kept.n_in, right[1], kept.n_out, margin))
