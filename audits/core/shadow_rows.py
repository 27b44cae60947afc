"""What a shadow model leaves, and the matrices of all of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from audits.core.shadow_scores import Accuracies, Canaries, ShadowScores

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Floats: TypeAlias = NDArray[np.float64]
    Flags: TypeAlias = NDArray[np.bool_]
    Integers: TypeAlias = NDArray[np.int64]


class ShadowRowsRefused(ValueError):
    """The rows do not make up the looks of a design."""


@dataclass(frozen=True, kw_only=True, eq=False)
class ShadowRow:
    """What one shadow model leaves: k and c scores, and accuracies on two sets.

    ``neighbours_before`` and ``_after`` are margins of copies, [k, q]; ``strangers_before`` and
    ``_after`` those of some test records, [p]; ``retrained`` is of a model that was trained for
    comparison with neither forget set nor twins, [k], and ``neighbours_retrained`` and
    ``strangers_retrained`` are its margins of the same copies and test records. Each is None where
    it was not asked for. ``neighbours_of`` are the places of the records that have copies, [j] for
    margins [j, q]; None where all k have.
    ``exposure_before`` and ``exposure_after`` say how far retained records stand out from test
    records; None where there are too few.
    """

    model: int
    member: bool
    before: Floats
    after: Floats
    canary_scores: Floats
    canary_member: Flags
    retained_before: float
    retained_after: float
    test_before: float
    test_after: float
    exposure_before: float | None = None
    exposure_after: float | None = None
    neighbours_before: Floats | None = None
    neighbours_after: Floats | None = None
    strangers_before: Floats | None = None
    strangers_after: Floats | None = None
    retrained: Floats | None = None
    neighbours_retrained: Floats | None = None
    strangers_retrained: Floats | None = None
    neighbours_of: Integers | None = None


def stack(
    rows: Sequence[ShadowRow],
    *,
    deployed: Floats | None = None,
) -> ShadowScores:
    """Return the score matrices of an experiment, in the order of the models.

    Raises:
        ShadowRowsRefused: a model is missing or appears twice.
    """
    ordered = sorted(rows, key=lambda row: row.model)
    if not rows or [row.model for row in ordered] != list(range(len(rows))):
        raise ShadowRowsRefused(f"Expected models 0 to {len(rows) - 1}, each once.")
    canaries = Canaries(
        scores=np.stack([row.canary_scores for row in ordered]),
        member=np.stack([row.canary_member for row in ordered]),
    )
    accuracies = Accuracies(
        **{
            name: np.array([getattr(row, name) for row in ordered])
            for name in ("retained_before", "retained_after", "test_before", "test_after")
        }
    )
    retrained = [row.retrained for row in ordered if row.retrained is not None]
    return ShadowScores(
        before=np.stack([row.before for row in ordered]),
        after=np.stack([row.after for row in ordered]),
        member=np.array([row.member for row in ordered]),
        retrained=np.stack(retrained) if retrained else None,
        canaries=canaries if canaries.scores.size else None,
        accuracies=accuracies,
        deployed=deployed,
    )
