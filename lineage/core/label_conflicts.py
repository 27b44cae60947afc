"""Records that resemble one another and have different targets.

A record that was planted so that its erasure harms others (camouflaged poisoning: Di et al.,
"Hidden poison", NeurIPS 2023) lies close to an honest one under another target.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lineage.core.duplicates import find_duplicates

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lineage.core.duplicates import Values


@dataclass(frozen=True, kw_only=True)
class Resembling:
    """A new record and the nearest kept one with another target."""

    new: int
    other: int
    distance: float


def conflicting(
    new: Values,
    new_targets: Sequence[str],
    kept: Values,
    kept_targets: Sequence[str],
    *,
    threshold: float,
) -> list[Resembling]:
    """Return, for each new record that conflicts, the nearest kept record with another target.

    Args:
        new: shape (n, ...), with their targets; a record without a target conflicts with none.
        new_targets: n of them.
        kept: shape (m, ...).
        kept_targets: m of them.
        threshold: of ``find_duplicates``.
    """
    nearest: dict[int, Resembling] = {}
    if len(new) and len(kept):
        for pair in find_duplicates(new, kept, threshold=threshold):  # nearest first
            ours, theirs = new_targets[pair.forget], kept_targets[pair.other]
            if ours and theirs and ours != theirs:
                found = Resembling(new=pair.forget, other=pair.other, distance=pair.distance)
                nearest.setdefault(pair.forget, found)
    return list(nearest.values())
