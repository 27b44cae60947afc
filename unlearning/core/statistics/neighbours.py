"""Nearest neighbours: the records themselves are the model, and forgetting is taking them out."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar, cast

import numpy as np

from unlearning.core.ranges import Range
from unlearning.core.statistics.counters import NeverAdded
from unlearning.core.statistics.fixed_point import real
from unlearning.core.statistics.model import Array, IntegerModel

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from unlearning.core.statistics.counters import Counters, Integers

CHUNK = 1 << 22  # numbers that the differences to a batch of rows may take


@dataclass(frozen=True, kw_only=True)
class Neighbours(IntegerModel):
    """Each class's share of the ``nearest`` records, by Euclidean distance.

    The records lie in an order of their own, so that neither the sequence in which they came nor
    what was removed between them can be seen, and ties go to the first in that order. The file
    of such a model holds every training record: keep it as you keep those.

    Source: Cover and Hart, "Nearest neighbor pattern classification", 1967.
    """

    kind: ClassVar[str] = "neighbours"

    nearest: Annotated[int, Range(1, 1000, help="records that vote")] = 5

    def empty(self) -> Counters:
        """Return ``records``, (0, columns + 1): the rows, and the class in the last column."""
        return {"records": np.zeros((0, self.columns + 1), np.int64)}

    def added(self, counters: Counters, rows: Integers, targets: Integers) -> Counters:
        """Return the records with these, too; see the base class."""
        self.checked(rows, targets)
        return {"records": _ordered(np.vstack([counters["records"], _joined(rows, targets)]))}

    def removed(self, counters: Counters, rows: Integers, targets: Integers) -> Counters:
        """Return the records without these; each takes one equal record with it.

        Raises:
            NeverAdded: one is not there; nothing was removed.
            RowsDoNotFit: they are not what the model is made for.
        """
        self.checked(rows, targets)
        records = counters["records"]
        gone = Counter(row.tobytes() for row in _joined(rows, targets))
        keep = np.ones(len(records), bool)
        for place, row in enumerate(records):
            key = row.tobytes()
            if gone[key]:
                gone[key] -= 1
                keep[place] = False
        if missing := gone.total():
            raise NeverAdded(
                f"{missing} of the {len(rows)} records to be removed are not in the model, so "
                f"they were never added, or were removed before; nothing was removed."
            )
        return {"records": records[keep]}

    def weights(self, counters: Counters) -> dict[str, NDArray[np.float64]]:
        """Return ``rows``, (n, columns), and ``votes``, (n, classes), one where the class is."""
        records = counters["records"]
        return {
            "rows": real(records[:, :-1]),
            "votes": np.eye(self.outputs)[records[:, -1]],
        }

    def scores(self, weights: Mapping[str, Array], rows: Array) -> Array:
        """Return the shares of the votes, (n, classes), all zero where there is no record."""
        known, votes = np.asarray(weights["rows"]), np.asarray(weights["votes"])
        asked = np.asarray(rows)
        found = np.zeros((len(asked), self.outputs))
        step = max(1, CHUNK // max(1, known.size))
        for start in range(0, len(asked) if len(known) else 0, step):
            batch = asked[start : start + step]
            away = np.square(batch[:, None] - known).sum(axis=-1)
            chosen = np.argsort(away, axis=1, kind="stable")[:, : self.nearest]
            found[start : start + step] = votes[chosen].mean(axis=1)
        return cast("Array", found)


def _joined(rows: Integers, targets: Integers) -> Integers:
    return np.hstack([rows, targets[:, None]]).astype(np.int64)


def _ordered(records: Integers) -> Integers:
    return np.ascontiguousarray(records[np.lexsort(records.T[::-1])])
