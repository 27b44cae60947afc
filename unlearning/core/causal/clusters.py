"""The group of records that the seeds belong to, and whether they belong to one at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.cluster.hierarchy import fcluster, ward
from scipy.spatial.distance import squareform

from unlearning.core.seeding import derive

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from unlearning.core.causal.influence import Head

MOST_PARTS = 8
POOL = 3000  # records of a label that are clustered: the distances are that number squared
DRAWS = 999


def chance(head: Head, labels: NDArray[np.int64], seeds: NDArray[np.int64], seed: int) -> float:
    """Return how likely records drawn at random support one another as much as the seeds do.

    The p-value of a permutation test: groups with the labels of the seeds are drawn ``DRAWS``
    times, and compared by the mean support between two different records of a group.
    """
    generator = np.random.default_rng(derive(seed, "chance"))
    wanted = labels[seeds]
    alike = [(np.flatnonzero(labels == each), int((wanted == each).sum())) for each in set(wanted)]
    ours = _cohesion(head.whitened[seeds])
    as_high = 0
    for _ in range(DRAWS):
        drawn = [generator.choice(pool, size, replace=False) for pool, size in alike]
        as_high += _cohesion(head.whitened[np.concatenate(drawn)]) >= ours
    return (as_high + 1) / (DRAWS + 1)


def _cohesion(whitened: NDArray[np.float64]) -> float:
    """Return the mean scalar product between two different rows."""
    total, own = whitened.sum(axis=0), (whitened**2).sum()
    size = len(whitened)
    return float((total @ total - own) / (size * (size - 1)))


def grouped(
    head: Head,
    labels: NDArray[np.int64],
    scores: NDArray[np.float64],
    seeds: NDArray[np.int64],
) -> NDArray[np.int64]:
    """Return (n,) the number of the seeds' cluster that each record lies in, 0 for none.

    The whitened gradients of each label of a seed, scaled to unit length, are clustered by Ward's
    method into 2 to ``MOST_PARTS`` parts, and the clusters with a seed are taken. Of these
    divisions the one is kept whose clusters' scores stand furthest above the other records', in
    units of their spread.
    """
    found = np.zeros(len(labels), dtype=np.int64)
    number = 0
    for label in sorted(set(labels[seeds].tolist())):
        pool = _pool(labels == label, scores, seeds)
        parts = _division(_unit(head.whitened[pool]), scores[pool], np.isin(pool, seeds))
        for part in range(1, parts.max() + 1):
            number += 1
            found[pool[parts == part]] = number
    return found


def _pool(
    alike: NDArray[np.bool_], scores: NDArray[np.float64], seeds: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return the records of a label with the highest scores, and its seeds."""
    places = np.flatnonzero(alike)
    best = places[np.argsort(-scores[places], kind="stable")[:POOL]]
    return np.union1d(best, seeds[alike[seeds]])


def _unit(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-300))


def _division(
    rows: NDArray[np.float64], scores: NDArray[np.float64], seeded: NDArray[np.bool_]
) -> NDArray[np.int64]:
    """Return the number of the seeds' cluster of each row, 0 for none."""
    best, kept = -np.inf, seeded.astype(np.int64)
    most = min(MOST_PARTS, len(rows) - 1)
    tree = ward(_apart(rows)) if most > 1 else None
    for parts in range(2, most + 1):
        drawn = fcluster(tree, parts, criterion="maxclust")
        inside = np.isin(drawn, drawn[seeded])
        if inside.all():
            continue
        distance = _distance(scores[inside], scores[~inside])
        if distance > best:
            numbers = np.unique(drawn[inside])
            best, kept = distance, np.where(inside, np.searchsorted(numbers, drawn) + 1, 0)
    return kept


def _apart(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the distances between rows, condensed, by one product of matrices."""
    squares = (rows**2).sum(axis=1)
    apart = np.sqrt(np.maximum(squares[:, None] + squares - 2 * (rows @ rows.T), 0))
    return np.asarray(squareform(apart, checks=False))


def _distance(inside: NDArray[np.float64], outside: NDArray[np.float64]) -> float:
    spread = np.sqrt(inside.var() + outside.var())
    return float((inside.mean() - outside.mean()) / max(spread, 1e-300))
