"""What shadow models left, as an attacker could watch it."""

from __future__ import annotations

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
    around = _stacked(rows, f"neighbours_{when}")
    return Answers(
        margins=np.stack([getattr(row, when) for row in rows])[:, columns],
        neighbours=None if around is None else around[:, columns],
        strangers=_stacked(rows, f"strangers_{when}"),
    )


def _stacked(rows: Sequence[ShadowRow], name: str) -> Floats | None:
    """Return the answers of all models; None where one has none, or about fewer records."""
    found = [getattr(row, name) for row in rows]
    if any(one is None for one in found) or len({one.shape for one in found}) > 1:
        return None
    return np.stack(found)
