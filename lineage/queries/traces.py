"""Where records of a hard purge still act, although their bits are gone."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lineage.core.bitmaps import decode, union
from lineage.models import PurgeTrace

if TYPE_CHECKING:
    from pyroaring import BitMap

    from lineage.models import OrdinalSpace


class Traces(NamedTuple):
    """By node, which of some ordinals act on it, and of forget sets which they had held."""

    arrived: dict[int, BitMap]
    removed: dict[int, BitMap]


def traced(space: OrdinalSpace, ordinals: BitMap) -> Traces:
    """Return what the purges of a space say of some ordinals.

    A purge does not know which of its ordinals acted on which node: each has all of them.
    """
    rows = PurgeTrace.objects.filter(purge__space=space)
    pairs = list(rows.values_list("node_id", "purge_id", "bitmap"))
    if not pairs:
        return Traces({}, {})
    blobs = dict(rows.order_by().distinct().values_list("purge_id", "purge__bitmap"))
    ours = {purge: decode(bytes(blob)) & ordinals for purge, blob in blobs.items()}
    arrived: dict[int, list[BitMap]] = {}
    removed: dict[int, list[BitMap]] = {}
    for node, purge, bitmap in pairs:
        if bitmap:
            removed.setdefault(node, []).append(decode(bytes(bitmap)) & ordinals)
        elif ours[purge]:
            arrived.setdefault(node, []).append(ours[purge])
    return Traces(
        {node: union(hits) for node, hits in arrived.items()},
        {node: hits for node, parts in removed.items() if (hits := union(parts))},
    )
