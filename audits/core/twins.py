"""Twins: records that stand in for the forget set in the shadow models that never saw it.

A twin has the same class and is as hard, or as close in features, as the record it replaces, so
that both arms train on equally many and equally difficult examples. Who owns a record is not asked
here: ``whole_people`` chooses among people.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from unlearning.core.examples import count

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from unlearning.core.examples import Examples

    Floats: TypeAlias = NDArray[np.float64]
    Integers: TypeAlias = NDArray[np.int64]


class NoTwin(ValueError):
    """The pool cannot supply a twin for every record."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Candidates:
    """Records to be matched.

    Attributes:
        labels: class numbers, shape [n].
        position: difficulty scores, shape [n], or features, shape [n, d]: nearest is best.
    """

    labels: Integers
    position: Floats


def candidates_of(examples: Examples) -> Candidates:
    """Return the records of a set, matched by all that a model is given of them."""
    decoded = [examples[place] for place in range(count(examples))]
    inputs = [each[0].numpy().ravel().astype(np.float64) for each in decoded]
    return Candidates(
        labels=np.array([int(each[1]) for each in decoded], np.int64), position=np.stack(inputs)
    )


def choose_twins(forget: Candidates, pool: Candidates, *, seed: int) -> Integers:
    """Return, for each record of the forget set, the index of its twin in the pool; shape [k].

    Records are served one after another in an order drawn from the seed; each takes the nearest
    record of its class that is left. Equal arguments give equal twins.

    Raises:
        NoTwin: the sentence names the class and both numbers, or the shapes that differ.
    """
    check_candidates(forget, pool)
    order = np.random.default_rng(seed).permutation(len(forget.labels))
    places, pool_places = rows(forget.position), rows(pool.position)
    twins = np.empty(len(forget.labels), np.int64)
    free = np.ones(len(pool.labels), bool)
    for record in order:
        left = np.flatnonzero(free & (pool.labels == forget.labels[record]))
        distances = ((pool_places[left] - places[record]) ** 2).sum(1)
        twins[record] = left[distances.argmin()]
        free[twins[record]] = False
    return twins


def check_candidates(forget: Candidates, pool: Candidates) -> None:
    """Refuse a pool that cannot hold a twin of every record.

    Raises:
        NoTwin: the sentence names the class and both numbers, or the shapes that differ.
    """
    if forget.position.shape[1:] != pool.position.shape[1:]:
        raise NoTwin(
            f"Positions of the forget set have shape {forget.position.shape[1:]}, those of the "
            f"pool {pool.position.shape[1:]}; they must be measured alike."
        )
    for label in np.unique(forget.labels):
        needed, held = int((forget.labels == label).sum()), int((pool.labels == label).sum())
        if held < needed:
            raise NoTwin(
                f"Class {label} has {needed} records in the forget set, but the pool holds only "
                f"{held} that could replace them."
            )


def rows(position: Floats) -> Floats:
    """Return positions as rows of numbers, shape [n, d]."""
    return position.reshape(len(position), -1).astype(np.float64)
