"""Receiver operating characteristics that do not pretend to more negatives than there are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from scipy.stats import rankdata

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats: TypeAlias = NDArray[np.float64]
    Flags: TypeAlias = NDArray[np.bool_]

NEGATIVES_PER_RATE = 3.0
RESAMPLES = 200
CONFIDENCE = 0.95
GRID = 61
LOWEST = 1e-3


class OneClassOnly(ValueError):
    """A ROC needs members and non-members."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Roc:
    """Rates as the threshold falls, from (0, 0) to (1, 1); ``negatives`` are independent ones."""

    fpr: Floats
    tpr: Floats
    auc: float
    negatives: int

    def tpr_at(self, fpr: float) -> float | None:
        """Return the largest TPR whose FPR does not exceed ``fpr``.

        None with fewer than 3 / fpr independent negatives: such a point would be luck.
        """
        if self.negatives < NEGATIVES_PER_RATE / fpr:
            return None
        return float(self.tpr[self.fpr <= fpr].max())

    def along(self, rates: Floats) -> list[float | None]:
        """Return the TPR of the drawn steps at each FPR, None to the left of the first point."""
        places = np.searchsorted(self.fpr, rates, side="right") - 1
        return [None if place < 0 else float(self.tpr[place]) for place in places]


@dataclass(frozen=True, kw_only=True, eq=False)
class Band:
    """Pointwise two-sided 95 % bounds on the TPR at each FPR; all of one shape."""

    fpr: Floats
    low: Floats
    high: Floats


def roc(scores: Floats, member: Flags, *, independent_negatives: int | None = None) -> Roc:
    """Return the ROC of scores where higher means member; shapes [n] and [n].

    Args:
        scores: one number per decision.
        member: whether it was one.
        independent_negatives: how many negatives are independent, where decisions share a model;
            by default all of them.

    Raises:
        OneClassOnly: there are no members, or no non-members.
    """
    positives = int(member.sum())
    negatives = len(member) - positives
    if not positives or not negatives:
        raise OneClassOnly(f"There are {positives} members and {negatives} non-members.")
    order = np.argsort(-scores, kind="stable")
    last_of_ties = np.append(np.flatnonzero(np.diff(scores[order])), len(scores) - 1)
    hits = np.cumsum(member[order])[last_of_ties]
    alarms = last_of_ties + 1 - hits
    return Roc(
        fpr=np.concatenate([[0.0], alarms / negatives]),
        tpr=np.concatenate([[0.0], hits / positives]),
        auc=auc(scores, member),
        negatives=negatives if independent_negatives is None else independent_negatives,
    )


def auc(scores: Floats, member: Flags) -> float:
    """Return the chance that a member scores above a non-member, ties counting half.

    The Mann-Whitney statistic. Raises OneClassOnly without members or non-members.
    """
    positives = int(member.sum())
    negatives = len(member) - positives
    if not positives or not negatives:
        raise OneClassOnly(f"There are {positives} members and {negatives} non-members.")
    ranks = float(rankdata(scores)[member].sum())
    return (ranks - positives * (positives + 1) / 2) / (positives * negatives)


def log_roc(ratios: Floats, member: Flags) -> Roc:
    """Return the ROC of cross-fitted likelihood ratios, shape [n, k], for a log-log plot.

    Points with a rate of zero have no place on it and are left out. Records under one model are
    not independent: the negatives that count are the models that never saw the records.
    """
    learned = np.repeat(member, ratios.shape[1])
    full = roc(ratios.ravel(), learned, independent_negatives=int((~member).sum()))
    shown = (full.fpr > 0) & (full.tpr > 0)
    return Roc(fpr=full.fpr[shown], tpr=full.tpr[shown], auc=full.auc, negatives=full.negatives)


def log_band(ratios: Floats, member: Flags, *, seed: int) -> Band:
    """Return how far the curve of ``log_roc`` would move with other models of the same kind.

    A bootstrap over models, each arm from itself, since records under one model move together.
    Percentiles of 200 resamples at rates from 0.1 % to 100 %, evenly spaced on a log axis.

    Args:
        ratios: cross-fitted likelihood ratios, shape [n, k].
        member: whether a model learned the records, shape [n].
        seed: of the resamples; equal seeds give equal bands.
    """
    order = np.argsort(-ratios.ravel(), kind="stable")
    falling = ratios.ravel()[order]
    cuts = np.append(np.flatnonzero(np.diff(falling)), len(falling) - 1)
    model = order // ratios.shape[1]
    rates = np.geomspace(LOWEST, 1.0, GRID)
    rng = np.random.default_rng(seed)
    drawn = [
        _drawn_rates(_weights(member, rng)[model], member[model], cuts) for _ in range(RESAMPLES)
    ]
    curves = np.stack([tpr[np.searchsorted(fpr, rates, side="right") - 1] for fpr, tpr in drawn])
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(curves, [tail, 1 - tail], axis=0)
    return Band(fpr=rates, low=low, high=high)


def _weights(member: Flags, rng: np.random.Generator) -> Floats:
    """Return how often each model is drawn, as often in total as there are models in its arm."""
    weights = np.empty(len(member))
    for arm in (member, ~member):
        size = int(arm.sum())
        weights[arm] = rng.multinomial(size, np.full(size, 1 / size))
    return weights


def _drawn_rates(
    weights: Floats, learned: Flags, cuts: NDArray[np.int64]
) -> tuple[Floats, Floats]:
    """Return FPR and TPR after each distinct score, from (0, 0)."""
    hits = np.concatenate([[0.0], np.cumsum(weights * learned)[cuts]])
    alarms = np.concatenate([[0.0], np.cumsum(weights * ~learned)[cuts]])
    return alarms / alarms[-1], hits / hits[-1]
