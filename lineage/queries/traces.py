"""Where records of a hard purge still act, although their bits are gone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lineage.core.bitmaps import decode, union
from lineage.models import PurgeTrace

if TYPE_CHECKING:
    from pyroaring import BitMap

    from lineage.models import OrdinalSpace


def traced(space: OrdinalSpace, ordinals: BitMap) -> dict[int, BitMap]:
    """Return, by node, which of some ordinals a purge says act on it.

    The purge does not know which of its ordinals acted on which node: each has all of them.
    """
    rows = PurgeTrace.objects.filter(purge__space=space)
    pairs = list(rows.values_list("node_id", "purge_id"))
    if not pairs:
        return {}
    blobs = dict(rows.order_by().distinct().values_list("purge_id", "purge__bitmap"))
    ours = {purge: decode(bytes(blob)) & ordinals for purge, blob in blobs.items()}
    found: dict[int, list[BitMap]] = {}
    for node, purge in pairs:
        if ours[purge]:
            found.setdefault(node, []).append(ours[purge])
    return {node: union(hits) for node, hits in found.items()}
