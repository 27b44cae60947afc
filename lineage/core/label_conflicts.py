"""Records that resemble one another and have different targets.

A record that was planted so that its erasure harms others (camouflaged poisoning: Di et al.,
"Hidden poison", NeurIPS 2023) lies close to an honest one under another target.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from lineage.core.duplicates import BLOCK, unit_rows

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
        threshold: largest L2 distance of records scaled to length one.
    """
    wanted, labels = unit_rows(new), np.array(new_targets, dtype=object)
    nearest: dict[int, Resembling] = {}
    for start in range(0, len(kept) if len(new) else 0, BLOCK):
        others = unit_rows(kept[start : start + BLOCK])
        beside = np.array(kept_targets[start : start + BLOCK], dtype=object)
        meant = (labels[:, None] != beside) & (labels != "")[:, None] & (beside != "")
        # One for each new record, never all pairs: of white pages, each resembles each.
        far = np.where(meant, -wanted @ others.T, np.inf)
        for at, beside_it in enumerate(far.argmin(axis=1)):
            distance = float(np.linalg.norm(wanted[at] - others[beside_it]))
            limit = nearest[at].distance if at in nearest else np.nextafter(threshold, np.inf)
            if meant[at, beside_it] and distance < limit:
                other = start + int(beside_it)
                nearest[at] = Resembling(new=at, other=other, distance=distance)
    return [nearest[at] for at in sorted(nearest)]
