"""Folds of whole people: what is correlated is never partly learned and partly asked about.

Records of one person are alike. A model that learned some of them answers for the others as if it
had learned these, too, so that an experiment which puts some into one arm and leaves the others in
both sees less of a leak than there is. Here all records of a person move together.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from audits.core.twins import Candidates, NoTwin, check_candidates, rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Integers: TypeAlias = NDArray[np.int64]

NOBODY = -1
LARGEST_SHARE = 0.5  # of the retain set that may leave with the people who stand in


@dataclass(frozen=True, kw_only=True, eq=False)
class StandIns:
    """Which records of a pool stand in for a forget set of k, and which leave with them.

    Attributes:
        chosen: the index of the stand-in of each record, shape [k].
        leaving: indices of the other records of the same people, shape [m], ascending.
    """

    chosen: Integers
    leaving: Integers


def blocks(owners: Sequence[int | None]) -> Integers:
    """Return a number from 0 for whoever a record is of, shape [n]; one of nobody is by itself."""
    known: dict[object, int] = {}
    keys = (("nobody", at) if one is None else one for at, one in enumerate(owners))
    return np.array([known.setdefault(key, len(known)) for key in keys], np.int64)


def whole_stand_ins(
    forget: Candidates,
    pool: Candidates,
    owner: Integers,
    *,
    subjects: Integers | None = None,
    seed: int,
) -> StandIns:
    """Choose stand-ins of the forget set so that nobody stands in with a part of their records.

    As ``choose_twins``: in an order drawn from the seed each record takes the nearest of its class
    that is left. But it takes one of a person who stands in for the same subject already, where
    such a one is left, and none of a person who stands in for another subject. The records of
    these people that were not taken must leave whatever the models learn. Where every record is
    of somebody else, this is ``choose_twins``.

    Args:
        forget: the k records to be stood in for.
        pool: the n records to choose from.
        owner: whose each record of the pool is, from ``blocks``; shape [n].
        subjects: the subject of each record of the forget set, shape [k]; None where all are one.
        seed: of the order.

    Raises:
        NoTwin: a class has too few records left, or more than half of what is not chosen would
            have to leave; the sentence says which.
    """
    check_candidates(forget, pool)
    subjects = np.zeros(len(forget.labels), np.int64) if subjects is None else subjects
    places, pool_places = rows(forget.position), rows(pool.position)
    free, serves = np.ones(len(owner), bool), np.full(int(owner.max()) + 1, NOBODY)
    chosen = np.empty(len(forget.labels), np.int64)
    for record in np.random.default_rng(seed).permutation(len(forget.labels)):
        alike, claimed = free & (pool.labels == forget.labels[record]), serves[owner]
        left = np.flatnonzero(alike & (claimed == subjects[record]))
        left = left if len(left) else np.flatnonzero(alike & (claimed == NOBODY))
        if not len(left):
            raise NoTwin(
                f"Class {forget.labels[record]} has no record left of anybody who does not stand "
                f"in for another person."
            )
        distances = ((pool_places[left] - places[record]) ** 2).sum(1)
        chosen[record] = left[distances.argmin()]
        free[chosen[record]] = False
        serves[owner[chosen[record]]] = subjects[record]
    leaving = np.flatnonzero(free & (serves[owner] != NOBODY))
    _check_share(len(leaving), int(free.sum()))
    return StandIns(chosen=chosen, leaving=leaving)


def _check_share(leaving: int, left: int) -> None:
    if leaving > LARGEST_SHARE * left:
        raise NoTwin(
            f"not computed: {leaving} of {left} retained records are of people whose other "
            f"records stand in for the erased ones; at most half may leave with them."
        )
