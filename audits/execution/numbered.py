"""Records with their ordinals and owners, and which of them stand in for others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from pyroaring import BitMap
from torch.utils.data import Subset

from audits.core.design import derived_seed
from audits.core.twins import NoTwin, candidates_of, choose_twins
from audits.core.whole_people import blocks, whole_stand_ins
from lineage.queries.subjects import owners_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lineage.models import OrdinalSpace
    from unlearning.core.examples import Examples


@dataclass(frozen=True, kw_only=True, eq=False)
class Numbered:
    """Examples, and of each its ordinal and whose it is; None where it is nobody's."""

    examples: Examples
    ordinals: Sequence[int]
    owners: Sequence[int | None]

    @classmethod
    def of(cls, examples: Examples, ordinals: Sequence[int], space: OrdinalSpace) -> Numbered:
        """Ask whose the records are."""
        found = owners_of(space, BitMap(ordinals))
        return cls(examples=examples, ordinals=ordinals, owners=[found[one] for one in ordinals])

    def without(self, people: set[int | None]) -> Numbered:
        """Return what is of nobody else than these people, who are no strangers to a model."""
        kept = [at for at, one in enumerate(self.owners) if one is None or one not in people]
        if len(kept) == len(self.owners):
            return self
        return Numbered(
            examples=Subset(self.examples, kept),
            ordinals=self.named(kept),
            owners=[self.owners[at] for at in kept],
        )

    def named(self, places: Sequence[int]) -> list[int]:
        """Return the ordinals at some places, in their order."""
        return [self.ordinals[place] for place in places]


def twins_of(forget: Examples, pool: Numbered, seed: int) -> tuple[list[int], list[int]]:
    """Return the twins' places in the pool, and the other places in an order of the seed.

    The order is one of records, not of places: where one is restricted, the others keep theirs.
    """
    if not pool.ordinals:
        raise NoTwin("not computed: there are no records that the version never saw.")
    found, seeded = candidates_of(pool.examples), derived_seed(seed, "twins")
    chosen = [int(place) for place in choose_twins(candidates_of(forget), found, seed=seeded)]
    return chosen, _others(pool, chosen, seed)


def stand_ins_of(
    forget: Examples, retained: Numbered, places: Sequence[int] | None, seed: int
) -> tuple[list[int], list[int]]:
    """Return the places of records that are learned in the person's place, and of what stays.

    Nobody is on both sides: the other records of whoever stands in leave the retain set.
    ``places`` are the subjects of the forget set, None where all are one.
    """
    if not retained.ordinals:
        raise NoTwin("not computed: no record is retained that could stand in.")
    found = whole_stand_ins(
        candidates_of(forget),
        candidates_of(retained.examples),
        blocks(retained.owners),
        subjects=None if places is None else np.array(places, np.int64),
        seed=derived_seed(seed, "twins"),
    )
    chosen = [int(place) for place in found.chosen]
    return chosen, _others(retained, [*chosen, *map(int, found.leaving)], seed)


def _others(pool: Numbered, taken: Sequence[int], seed: int) -> list[int]:
    others = set(range(len(pool.ordinals))).difference(taken)
    return sorted(others, key=lambda at: derived_seed(seed, "rest", pool.ordinals[at]))
