"""The epsilon of the unlearning competition: how well can one record tell two groups of models?

As published the number is read by itself, in steps of one half. But it is a maximum over thousands
of thresholds on a finite sample, and two samples of one distribution already have an epsilon of 1
to 2, with 512 models a side as with 64. So it is given beside the epsilon of retrained against
retrained models, and never as a verdict.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, TypeAlias

import numpy as np

from audits.core.attack import ModelComparison

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats: TypeAlias = NDArray[np.float64]

CAP = 50.0
NARROW = 0.01
GRID = 64


@dataclass(frozen=True, kw_only=True)
class Competition(ModelComparison):
    """The largest epsilon that a threshold on the margin, or an interval of it, appears to show.

    **Assumption.** The attacker has many unlearned and many retrained models, each an independent
    draw of its procedure; models unlearned from a single original are not.

    **Score.** max over rules of log((1 - delta - FPR) / FNR) and log((1 - delta - FNR) / FPR), not
    below 0 and at most 50. Rules are {margin > t}, where the group with the larger median is
    sought, and {s < margin <= t}, where the one with the smaller range is. A rule with one rate of
    zero is left out; one with both shows the cap, and so does a group 100 times narrower than the
    other. Thresholds lie between observed margins, where the published ones lie on a grid;
    intervals begin and end at up to 64 evenly spaced ranks.

    **Reference.** Triantafillou et al., "Are we making progress in unlearning? Findings from the
    first NeurIPS unlearning competition", arXiv 2406.09073.

    **Cost.** The models; n of them cannot show more than about log(n - 1), the cap apart.

    **Known failure.** Read alone it finds differences where there are none. The published code
    also stops at an assertion on an array before it gives a number.
    """

    title: ClassVar[str] = "Unlearning competition epsilon"
    paper: ClassVar[str] = "Triantafillou et al. 2024, arXiv 2406.09073 (NeurIPS 2023 competition)"
    adversary: ClassVar[str] = "trains, unlearns and retrains many times; reads probabilities"

    delta: float = 1e-5

    def distance(self, unlearned: Floats, retrained: Floats) -> Floats:
        """Return epsilon per record, shape [k]; margins [n, k] and [m, k]."""
        pool = _Pool.of(unlearned, retrained)
        best = np.maximum(self._single(pool), self._double(pool))
        narrow, wide = np.sort([np.ptp(unlearned, axis=0), np.ptp(retrained, axis=0)], axis=0)
        return np.where(narrow < NARROW * wide, CAP, np.clip(best, 0.0, CAP))

    def _single(self, pool: _Pool) -> Floats:
        """Return the best epsilon of {margin > t} per record."""
        sought, other = pool.ordered(by=pool.unlearned_higher)
        found = self._epsilon(1 - other, sought)
        return np.asarray(np.where(pool.cut, found, -np.inf).max(0), np.float64)

    def _double(self, pool: _Pool) -> Floats:
        """Return the best epsilon of {s < margin <= t} per record."""
        sought, other = pool.ordered(by=pool.unlearned_narrower)
        last = len(sought) - 1
        ranks = np.unique(np.linspace(0, last, min(GRID, last + 1)).round().astype(np.int64))
        start, stop = (ranks[side] for side in np.triu_indices(len(ranks), 1))
        found = self._epsilon(other[stop] - other[start], 1 - (sought[stop] - sought[start]))
        allowed = pool.cut[start] & pool.cut[stop]
        return np.asarray(np.where(allowed, found, -np.inf).max(0), np.float64)

    def _epsilon(self, fpr: Floats, fnr: Floats) -> Floats:
        """Return what rules with these rates show; minus infinity where a rule is left out."""
        fpr, fnr = (np.where(rate < np.finfo(float).eps * 8, 0.0, rate) for rate in (fpr, fnr))
        with np.errstate(divide="ignore", invalid="ignore"):
            caught = np.log(np.maximum(1 - self.delta - fpr, 0.0) / fnr)
            cleared = np.log(np.maximum(1 - self.delta - fnr, 0.0) / fpr)
        both = (fpr == 0) & (fnr == 0)
        either = (fpr == 0) != (fnr == 0)
        shown = np.where(either, -np.inf, np.fmax(caught, cleared))
        return np.asarray(np.where(both, CAP, shown), np.float64)


@dataclass(frozen=True, kw_only=True, eq=False)
class _Pool:
    """Both groups sorted together; row i speaks of a cut above the i smallest margins.

    Attributes:
        unlearned: share of unlearned models at or below each cut, shape [n + m + 1, k].
        retrained: the same of retrained models.
        cut: False where a cut would part equal margins.
        unlearned_higher: whether the unlearned models' median is the larger, shape [k].
        unlearned_narrower: whether their range is the smaller, shape [k].
    """

    unlearned: Floats
    retrained: Floats
    cut: NDArray[np.bool_]
    unlearned_higher: NDArray[np.bool_]
    unlearned_narrower: NDArray[np.bool_]

    @classmethod
    def of(cls, unlearned: Floats, retrained: Floats) -> _Pool:
        """Sort the margins of both groups, record by record."""
        pooled = np.concatenate([unlearned, retrained])
        order = np.argsort(pooled, axis=0, kind="stable")
        ours = order < len(unlearned)
        margins = np.take_along_axis(pooled, order, 0)
        ends = np.ones((1, pooled.shape[1]), bool)
        return cls(
            unlearned=_shares(ours),
            retrained=_shares(~ours),
            cut=np.concatenate([ends, margins[1:] > margins[:-1], ends]),
            unlearned_higher=np.median(unlearned, axis=0) > np.median(retrained, axis=0),
            unlearned_narrower=np.ptp(unlearned, axis=0) < np.ptp(retrained, axis=0),
        )

    def ordered(self, *, by: NDArray[np.bool_]) -> tuple[Floats, Floats]:
        """Return the shares of the sought group, unlearned where ``by``, and of the other."""
        return (
            np.where(by, self.unlearned, self.retrained),
            np.where(by, self.retrained, self.unlearned),
        )


def _shares(ours: NDArray[np.bool_]) -> Floats:
    counts = np.concatenate([np.zeros((1, ours.shape[1])), ours.cumsum(0)])
    return np.asarray(counts / counts[-1], np.float64)
