"""Before bits are rewritten, note on which nodes their records act besides."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyroaring import BitMap

from lineage.core.bitmaps import decode, encode
from lineage.models import PurgeTrace, Role, RunInput
from lineage.queries.reach import reached

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lineage.models import LineagePurge, OrdinalSpace
    from lineage.queries.reach import Reach


def leave_traces(*, purge: LineagePurge, space: OrdinalSpace, ordinals: BitMap) -> None:
    """Note what the ordinals act on and will no longer be found by their bits.

    Models, what was derived as a whole, and forget sets, without which an unlearned model would
    look as if it still held them. Again, it notes nothing twice.
    """
    reach = reached(space, ordinals)
    PurgeTrace.objects.bulk_create(
        (PurgeTrace(purge=purge, node_id=node) for node in sorted(set(_inherited(reach)))),
        ignore_conflicts=True,
    )
    forgotten = RunInput.objects.filter(role=Role.FORGET, node_id__in=list(reach.removed))
    for node in sorted(set(forgotten.values_list("node_id", flat=True))):
        _note_removed(purge, node, reach.removed[node])


def _note_removed(purge: LineagePurge, node: int, held: BitMap) -> None:
    trace, fresh = PurgeTrace.objects.get_or_create(
        purge=purge, node_id=node, defaults={"bitmap": encode(held)}
    )
    if not fresh and trace.bitmap:  # else it is one on which any of them may act
        known = decode(bytes(trace.bitmap)) | held
        PurgeTrace.objects.filter(pk=trace.pk).update(bitmap=encode(known))


def _inherited(reach: Reach) -> Iterator[int]:
    """Yield the nodes on which records act that came from another node."""
    for edge in reach.edges:
        came = (reach.came if edge.passes else reach.acting).get(edge.src, BitMap())
        if came - reach.cuts.get((edge.src, edge.dst), BitMap()):
            yield edge.dst
