"""What would be left of a version's training data if some records went."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lineage.models import RecordContent
from lineage.queries.availability import purged_ordinals
from lineage.queries.contents import batches
from lineage.queries.sources import learned_by

if TYPE_CHECKING:
    from pyroaring import BitMap

    from lineage.models import OrdinalSpace
    from lineage.queries.closure import AffectedVersion


def what_if(hit: AffectedVersion, space: OrdinalSpace) -> dict[str, Any]:
    """Return how much of a version's own training data would stay without the forget set.

    * ``trained_on``: records that its own run drew from this space;
    * ``erased_before``: those of them that are erased already, so neither leave nor stay;
    * ``leaves``: those of them that would go, ``stays`` the others, ``share`` what goes of all;
    * ``emptied_targets``: targets of which no record would stay;
    * ``can_be_retrained``: it has a recipe and something to train on.
    """
    own = learned_by(hit.version, space)
    there = own - purged_ordinals(space)
    gone, stays = there & hit.forget, there - hit.forget
    return {
        "trained_on": len(own),
        "erased_before": len(own) - len(there),
        "leaves": len(gone),
        "stays": len(stays),
        "share": round(len(gone) / len(own), 6) if own else None,
        "emptied_targets": _emptied(space, gone, stays),
        "can_be_retrained": bool(hit.version.generated_by.recipe and stays),
    }


def _emptied(space: OrdinalSpace, gone: BitMap, stays: BitMap) -> list[str]:
    contents = RecordContent.objects.filter(space=space)
    touched = {
        target
        for batch in batches(gone)
        for target in contents.filter(ordinal__in=batch).values_list("target", flat=True)
    }
    return sorted(target for target in touched if not _any(contents, target, stays))


def _any(contents: Any, target: str, stays: BitMap) -> bool:  # noqa: ANN401  (a queryset)
    wanted = contents.filter(target=target).values_list("ordinal", flat=True)
    return any(ordinal in stays for ordinal in wanted.iterator())
