"""What shadow models left, as an attacker could watch it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import reduce
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from audits.core.attacked import Answers, Material

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from audits.core.shadow_rows import ShadowRow

    Flags: TypeAlias = NDArray[np.bool_]
    Floats: TypeAlias = NDArray[np.float64]
    Integers: TypeAlias = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True, eq=False)
class Asked:
    """Which records an attack is asked about, and of which models.

    Attributes:
        columns: the places of the k records among those of the rows.
        member: which models learned them, shape [n].
        index: a random permutation of the k records.
        owners: which of several subjects each is of, shape [k]; None where all are of one.
    """

    columns: Integers
    member: Flags
    index: Integers
    owners: Integers | None = None

    def of_copied(self, rows: Sequence[ShadowRow]) -> Asked:
        """Return the same about the records that have copies; about all where none has."""
        copied = _copied(rows)
        if copied is None or not (chosen := np.flatnonzero(np.isin(self.columns, copied))).size:
            return self
        order = self.index[np.isin(self.index, chosen)]
        return replace(
            self,
            columns=self.columns[chosen],
            index=np.searchsorted(chosen, order),
            owners=None if self.owners is None else self.owners[chosen],
        )


def _copied(rows: Sequence[ShadowRow]) -> Integers | None:
    """Return the places of the records that have copies in every row; None where all have."""
    named = [row.neighbours_of for row in rows if row.neighbours_of is not None]
    return reduce(np.intersect1d, named) if named else None


def material(rows: Sequence[ShadowRow], columns: Integers, member: Flags) -> Material:
    """Return the answers of all models about some of the records, in the order of the models.

    Args:
        rows: of the models, in the order of training.
        columns: the records that are asked about.
        member: which models learned these, shape [n].
    """
    return Material(
        member=member,
        before=_answers(rows, columns, "before"),
        after=_answers(rows, columns, "after"),
        retrained=_retrained(rows, columns),
    )


def _retrained(rows: Sequence[ShadowRow], columns: Integers) -> Answers | None:
    """Return the answers of the models that were retrained for comparison, or None."""
    compared = [row for row in rows if row.retrained is not None]
    return _answers(compared, columns, "retrained") if compared else None


def _answers(rows: Sequence[ShadowRow], columns: Integers, when: str) -> Answers:
    """Return what models answered before or after unlearning, or retrained."""
    return Answers(
        margins=np.stack([getattr(row, when) for row in rows])[:, columns],
        neighbours=_around(rows, columns, f"neighbours_{when}"),
        strangers=_stacked(rows, f"strangers_{when}"),
    )


def _around(rows: Sequence[ShadowRow], columns: Integers, name: str) -> Floats | None:
    """Return the margins of copies; None where one of the records has none."""
    found, named = _stacked(rows, name), {_places(row) for row in rows}
    if found is None or len(named) > 1:
        return None
    (places,) = named
    if places is None:
        return found[:, columns]
    return found[:, np.searchsorted(places, columns)] if np.isin(columns, places).all() else None


def _places(row: ShadowRow) -> tuple[int, ...] | None:
    return None if row.neighbours_of is None else tuple(row.neighbours_of.tolist())


def _stacked(rows: Sequence[ShadowRow], name: str) -> Floats | None:
    """Return the answers of all models; None where one has none, or about fewer records."""
    found = [getattr(row, name) for row in rows]
    if any(one is None for one in found) or len({one.shape for one in found}) > 1:
        return None
    return np.stack(found)
