"""Whether every shard can learn every class; one that cannot votes against it for ever."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from unlearning.core.sharding.placement import Placement

NAMED = 5


class ClassesMissing(ValueError):
    """A shard has too few records of a class."""


def class_counts(placement: Placement, targets: Sequence[str]) -> list[Counter[str]]:
    """Return, for each shard, how many records of each class it has."""
    shards = range(len(placement.shards))
    return [Counter(targets[number] for number in placement.records(shard)) for shard in shards]


def check_classes(placement: Placement, targets: Sequence[str], *, least: int = 1) -> None:
    """Refuse a placement in which a shard has fewer than ``least`` records of a class.

    ``targets`` are the classes of all records by number.

    Raises:
        ClassesMissing: with the shards, the classes and the numbers.
    """
    counts = class_counts(placement, targets)
    everywhere = Counter(targets)
    lacking = [
        (shard, name, found[name])
        for shard, found in enumerate(counts)
        for name in sorted(everywhere)
        if found[name] < least
    ]
    if not lacking:
        return
    said = "; ".join(
        f"shard {shard} has {found} of the {everywhere[name]} records of class {name!r}"
        for shard, name, found in lacking[:NAMED]
    )
    more = f"; and {len(lacking) - NAMED} more" if len(lacking) > NAMED else ""
    raise ClassesMissing(
        f"{len({shard for shard, _, _ in lacking})} of {len(counts)} shards have fewer than "
        f"{least} records of a class: {said}{more}. Use fewer shards, or train on the whole."
    )
