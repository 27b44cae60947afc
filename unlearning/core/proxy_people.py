"""Whom the proxies of a search forget: a few people, with all that is theirs; no torch."""

from __future__ import annotations

import random
from collections import defaultdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping

FEWEST = 200
SHARE = 0.07  # of all records: a tenth of those that a proxy's original model is trained on


class TooFewToTune(ValueError):
    """So few records, or people, cannot be cut into the sets of a proxy problem."""


def forgotten(owners: Mapping[int, Hashable | None], *, seed: int) -> list[int]:
    """Return the ordinals that the proxies of a search forget, in order.

    A record is forgotten with all others of the same person. So a search has to do with few
    people, and what it finds may be used for everybody else.

    Args:
        owners: who owns each record of the search, None for one of nobody, who stands alone.
        seed: other seeds draw other people.

    Raises:
        TooFewToTune: there are fewer than 200 records, or whole people do not add up to half of
            the share that is to be forgotten.
    """
    if len(owners) < FEWEST:
        raise TooFewToTune(
            f"The snapshot has {len(owners)} usable records; tuning needs at least {FEWEST} to "
            "draw a proxy forget set from."
        )
    most = round(SHARE * len(owners))
    drawn: list[int] = []
    for theirs in _shuffled(owners, seed):
        if len(drawn) + len(theirs) <= most:
            drawn += theirs
    if len(drawn) < most / 2:
        raise TooFewToTune(
            f"The {len(owners)} usable records of the snapshot belong to so few people that none "
            f"of them, or too few, have at most {most} together; a proxy forgets whole people."
        )
    return sorted(drawn)


def _shuffled(owners: Mapping[int, Hashable | None], seed: int) -> list[list[int]]:
    """Return the records of each person, people in an order that only the seed decides."""
    people: dict[Hashable, list[int]] = defaultdict(list)
    for ordinal, owner in sorted(owners.items()):
        people[("nobody", ordinal) if owner is None else owner].append(ordinal)
    found = sorted(people.values())
    random.Random(seed).shuffle(found)  # noqa: S311  (nothing is kept secret by it)
    return found
