"""Of which records copies are made: of all, or of as many as a shadow model's row has room for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

MOST = 512


def drawn_records(owners: Sequence[int], *, seed: int, most: int = MOST) -> tuple[int, ...]:
    """Return the places of the records that are copied, ascending; empty where all are.

    People take turns, each with records in an order of the seed, until there are ``most``: so
    everybody has one, even where there are more people than that, and nobody's many records push
    out another's few. The draw is fixed before a model is trained and depends on no score.

    Args:
        owners: whose each record is, in any numbers.
        seed: of the order.
        most: how many, where there are not more people.
    """
    if len(owners) <= most:
        return ()
    order = np.random.default_rng(seed).permutation(len(owners)).tolist()
    seen: dict[int, int] = {}
    turns: list[tuple[int, int, int]] = []
    for place in order:
        turn = seen[owners[place]] = seen.get(owners[place], -1) + 1
        turns.append((turn, len(turns), place))
    chosen = sorted(turns)[: max(most, len(seen))]
    return tuple(sorted(place for _, _, place in chosen))
