"""Forget what the operator's own cases say of records that were erased: scores and bits.

A case names its records by number, and what it says of them is that they were suspected. That goes
with the records. How many there were, and their digest, stay in the log.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction

from audits.models import OperatorCase, ScoredRecord
from audits.queries.operator_cases import chosen_of, seeds_of
from lineage.core import bitmaps
from lineage.models import OrdinalSpace
from lineage.queries.availability import purged_ordinals
from lineage.queries.contents import batches
from lineage.services.purge import HARD

if TYPE_CHECKING:
    from pyroaring import BitMap


def forget_everywhere() -> None:
    """Do so in every space, as after a restore."""
    for space in OrdinalSpace.objects.filter(pk__in=OperatorCase.objects.values("space")):
        forget_erased(space=space)


@transaction.atomic
def forget_erased(*, space: OrdinalSpace) -> None:
    """Delete the scores of the erased records of a space; take out the bits of the hard-purged.

    Again, it finds nothing left. A case that is not approved yet has another digest then, so that
    whoever looked at it before must look again.
    """
    for batch in batches(purged_ordinals(space)):
        ScoredRecord.objects.filter(case__space=space, ordinal__in=batch).delete()
    gone = purged_ordinals(space, mode=HARD)
    if not gone:
        return
    for case in OperatorCase.objects.select_for_update().filter(space=space).order_by("pk"):
        _rewrite(case, gone)


def _rewrite(case: OperatorCase, gone: BitMap) -> None:
    seeds, chosen = seeds_of(case), chosen_of(case)
    if not (seeds | chosen) & gone:
        return
    case.gone_seeds += len(seeds & gone)
    case.seeds, case.chosen = bitmaps.encode(seeds - gone), bitmaps.encode(chosen - gone)
    case.save(update_fields=["seeds", "chosen", "gone_seeds"])
