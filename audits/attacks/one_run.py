"""Auditing in one run: too many right guesses which canaries were trained on bound epsilon."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, TypeAlias

import numpy as np
from scipy import special

from audits.core.attack import CanaryAttack, CanaryFinding, NothingToAttackWith

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from audits.core.attack import PlantedScores

    Floats: TypeAlias = NDArray[np.float64]
    Flags: TypeAlias = NDArray[np.bool_]

LARGEST = 50.0
HALVINGS = 60


@dataclass(frozen=True, kw_only=True)
class OneRun(CanaryAttack):
    """A lower bound on epsilon of differential privacy from canaries under a single model.

    **Assumption.** Each of m canaries was included by a fair coin of its own that nothing else
    depends on; all that were included have been erased; the attacker scores all m.

    **Score.** Any membership score. The canaries with the highest scores are guessed to have been
    included, as many with the lowest not to have been, the others are not guessed. With r guesses
    and v of them right, an (epsilon, delta)-private way to train and erase has
    P[v or more right] <= P[W >= v] + 2 m delta max_i P[v > W >= v - i] / i, W ~ Bin(r, q) with
    q = 1 / (1 + exp(-epsilon)), since the right guesses are no more than W + F in distribution,
    with F >= 0 of mean 2 m delta at most. The statistic is the largest epsilon so refuted, at
    1 - ``alpha``; the p-value is of the ``accepted`` epsilon. Every share of guesses and both
    directions (an erasure that overdoes it inverts the scores) are tests of their own, and the
    level is divided among them, where taking the best would find leaks in noise.

    **Reference.** Steinke, Nasr and Jagielski, "Privacy auditing with one (1) training run",
    NeurIPS 2023, arXiv 2305.08846.

    **Cost.** The canaries; no further model.

    **Known failure.** r right guesses of r refute no more than epsilon =
    -log(alpha^(-1/r) - 1), alpha being divided as above, so that few canaries say little; and
    they speak of themselves and not of a person's records.
    """

    title: ClassVar[str] = "Audit in one run"
    paper: ClassVar[str] = "Steinke, Nasr and Jagielski 2023, arXiv 2305.08846"
    adversary: ClassVar[str] = "planted canaries by coin; reads probabilities of one model"

    shares: tuple[float, ...] = (0.1, 0.5, 1.0)
    accepted: float = 0.0
    delta: float = 0.0
    alpha: float = 0.05

    def examine(self, planted: PlantedScores) -> CanaryFinding:
        """Return the lower bound on epsilon, and the p-value of the accepted one.

        Raises:
            NothingToAttackWith: no coins are given, or fewer than two canaries have scores.
        """
        if planted.included is None:
            raise NothingToAttackWith("An audit in one run needs the coins of its canaries.")
        counts = self._counts(planted.after, planted.included)
        before = planted.before
        return CanaryFinding(
            canaries=int((~np.isnan(planted.after)).sum()),
            statistic=self._bound(counts, len(planted.after)),
            p_value=self._p_value(counts, len(planted.after)),
            control=None
            if before is None
            else self._p_value(self._counts(before, planted.included), len(before)),
        )

    def _counts(self, scores: Floats, included: Flags) -> list[tuple[int, int]]:
        """Return guesses and right guesses, for each share and direction."""
        known = np.flatnonzero(~np.isnan(scores))
        if len(known) < 2:  # noqa: PLR2004  # one to call in, and one out
            raise NothingToAttackWith("An audit in one run needs scores of two canaries or more.")
        truth = included[known[np.argsort(scores[known], kind="stable")]]
        found = []
        for share in self.shares:
            size = max(1, round(share * len(truth) / 2))
            size = min(size, len(truth) // 2)
            right = int(truth[-size:].sum() + (~truth[:size]).sum())
            found += [(2 * size, right), (2 * size, 2 * size - right)]
        return found

    def _p_value(self, counts: list[tuple[int, int]], canaries: int) -> float:
        each = (p_value(canaries, r, v, self.accepted, self.delta) for r, v in counts)
        return min(1.0, len(counts) * min(each))

    def _bound(self, counts: list[tuple[int, int]], canaries: int) -> float:
        level = self.alpha / len(counts)
        return max(epsilon_refuted(canaries, r, v, self.delta, level) for r, v in counts)


def p_value(canaries: int, guesses: int, right: int, epsilon: float, delta: float) -> float:
    """Bound the chance of so many right guesses under (epsilon, delta)-differential privacy."""
    chance = float(special.expit(epsilon))
    tail = float(_tail(right, guesses, chance))
    if delta == 0:
        return tail
    below = _tail(np.arange(right - 1, -1, -1), guesses, chance) - tail
    reach = (below / np.arange(1, right + 1)).max(initial=0.0)
    return min(1.0, tail + 2 * canaries * delta * float(reach))


def _tail(right: ArrayLike, guesses: int, chance: float) -> Floats:
    """Return P[Bin(guesses, chance) >= right]."""
    v = np.asarray(right, np.float64)
    found = special.betainc(np.maximum(v, 1), guesses - np.maximum(v, 1) + 1, chance)
    return np.asarray(np.where(v > 0, found, 1.0), np.float64)


def epsilon_refuted(canaries: int, guesses: int, right: int, delta: float, alpha: float) -> float:
    """Return an epsilon that so many right guesses refute at ``alpha``; 0 where they refute none.

    A private mechanism is also private for any larger epsilon, so that every epsilon with a
    p-value of ``alpha`` or less refutes the smaller ones: wherever the bisection ends is valid.
    """
    low, high = 0.0, LARGEST
    if p_value(canaries, guesses, right, low, delta) > alpha:
        return 0.0
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        if p_value(canaries, guesses, right, middle, delta) > alpha:
            high = middle
        else:
            low = middle
    return low
