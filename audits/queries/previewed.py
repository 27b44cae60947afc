"""The records that a preview is about, as staff name them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from audits.models import PlanPreview
from audits.queries.named_records import KINDS, listed
from lineage.core.bitmaps import from_array
from lineage.core.ordinal_list import OrdinalsUnreadable
from lineage.core.worded import worded
from lineage.queries.availability import purged_ordinals
from lineage.queries.membership import members
from lineage.queries.sources import NoTrainingSnapshot, training_snapshot
from lineage.queries.subjects import find_subject, records_of

if TYPE_CHECKING:
    from pyroaring import BitMap

    from lineage.models import ModelVersion, OrdinalSpace


class NothingNamed(ValueError):
    """Nobody, or no record, was found under what was typed; the sentence does not repeat it."""


def named(by: PlanPreview.By, text: str, version: ModelVersion) -> dict[OrdinalSpace, BitMap]:
    """Return the records that are meant, by space.

    Raises:
        NothingNamed: the sentence says what is allowed.
    """
    if by == PlanPreview.By.PERSON:
        return _of_person(text)
    try:
        space = training_snapshot(version).space
        wanted = _spread(text, version) if by == PlanPreview.By.NUMBER else listed(text)
    except (NoTrainingSnapshot, OrdinalsUnreadable) as reason:
        raise NothingNamed(str(reason)) from reason
    if not wanted:
        raise NothingNamed(worded("No record is named; name one at least, such as 3 or 7-9."))
    return {space: wanted}


def _of_person(text: str) -> dict[OrdinalSpace, BitMap]:
    found = [person for kind in KINDS if (person := find_subject(kind, text.strip()))]
    records = records_of(found[0]) if found else {}
    if not records:
        raise NothingNamed(worded("Nobody with records here has this address or identifier."))
    return records


def _spread(text: str, version: ModelVersion) -> BitMap:
    """Return as many of the records it was trained on, evenly spread, so that anybody gets those.

    Which they are matters where a training was recorded: replays begin at the first one used.
    """
    snapshot = training_snapshot(version)
    there = np.array(members(snapshot) - purged_ordinals(snapshot.space), np.int64)
    if not text.strip().isdecimal() or not 1 <= int(text) <= len(there):
        raise NothingNamed(
            worded(
                "Enter a whole number; between 1 and %(count)s are allowed, as %(version)s "
                "was trained on no more.",
                count=len(there),
                version=version,
            )
        )
    return from_array(there[np.linspace(0, len(there) - 1, int(text)).astype(np.int64)])
