"""People by identifier, and the records that are theirs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lineage import keys
from lineage.core.bitmaps import from_array
from lineage.core.identifiers import IdentifierNotUsable, lookup_digest
from lineage.models import DataRecord, DataSubject, OrdinalSpace
from lineage.queries.contents import batches

if TYPE_CHECKING:
    from pyroaring import BitMap


def find_subject(kind: str, value: str) -> DataSubject | None:
    """Return the person with this identifier, or None if nobody has it (any more).

    Args:
        kind: ``EMAIL`` or ``EXTERNAL``.
        value: as typed; what cannot be an identifier belongs to nobody.
    """
    try:
        digest = lookup_digest(keys.get_or_create("lookup"), kind, value)
    except IdentifierNotUsable:
        return None
    return DataSubject.objects.filter(identifiers__kind=kind, identifiers__digest=digest).first()


def records_of(subject: DataSubject) -> dict[OrdinalSpace, BitMap]:
    """Return the ordinals of a person's records, by space."""
    pairs = np.array(list(subject.records.values_list("space_id", "ordinal")), dtype=object)
    if not len(pairs):
        return {}
    spaces = OrdinalSpace.objects.in_bulk(set(pairs[:, 0]))
    return {
        space: from_array(pairs[pairs[:, 0] == pk, 1].astype(np.int64))
        for pk, space in spaces.items()
    }


def owners_of(space: OrdinalSpace, ordinals: BitMap) -> dict[int, int | None]:
    """Return whose each of some records is, by ordinal; None for a record of nobody."""
    found: dict[int, int | None] = dict.fromkeys(ordinals)
    for batch in batches(ordinals):
        rows = DataRecord.objects.filter(space=space, ordinal__in=batch)
        found.update(rows.values_list("ordinal", "subject_id"))
    return found
