"""Where records of a hard purge still act, although their bits are gone."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

from django.db.models import Q

from lineage.core.bitmaps import decode, union
from lineage.models import Influence, LineageEdge, PurgeTrace, Role
from lineage.queries.edges import FOR_EVER

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from datetime import datetime
    from uuid import UUID

    from pyroaring import BitMap

    from lineage.models import OrdinalSpace


class Traces(NamedTuple):
    """By node, which of some ordinals act on it, and of forget sets which they had held."""

    arrived: dict[int, BitMap]
    removed: dict[int, BitMap]


def traced(space: OrdinalSpace, ordinals: BitMap, *, as_of: datetime = FOR_EVER) -> Traces:
    """Return what the purges of a space say of some ordinals, as it was known at a time.

    A purge does not know which of its ordinals acted on which node: each has all of them. Nor
    does it know when; nothing can have come to a node that was derived from nothing yet.
    """
    return traced_together({space: ordinals}, as_of=as_of)[space]


def traced_together(
    records: Mapping[OrdinalSpace, BitMap], *, as_of: datetime = FOR_EVER
) -> dict[OrdinalSpace, Traces]:
    """Return ``traced`` of ordinals in several spaces."""
    rows = PurgeTrace.objects.filter(purge__space__in=list(records))
    pairs = list(rows.values_list("node_id", "purge_id", "bitmap"))
    if not pairs:
        return {space: Traces({}, {}) for space in records}
    purges = rows.order_by().distinct().values_list("purge__space", "purge_id", "purge__bitmap")
    blobs: dict[int, dict[UUID, BitMap]] = defaultdict(dict)
    for space, purge, blob in purges:
        blobs[space][purge] = decode(bytes(blob))
    there = None if as_of == FOR_EVER else _derived_by((node for node, *_ in pairs), as_of)
    return {
        space: _traces(pairs, ordinals, blobs[space.pk], there)
        for space, ordinals in records.items()
    }


def _traces(
    pairs: Iterable[tuple[int, UUID, bytes | memoryview]],
    ordinals: BitMap,
    purges: Mapping[UUID, BitMap],
    there: Collection[int] | None,
) -> Traces:
    """Return what the purges of one space say; None: every node was derived from something."""
    ours = {purge: purged & ordinals for purge, purged in purges.items()}
    arrived: dict[int, list[BitMap]] = {}
    removed: dict[int, list[BitMap]] = {}
    for node, purge, bitmap in (pair for pair in pairs if pair[1] in ours):
        if bitmap:
            removed.setdefault(node, []).append(decode(bytes(bitmap)) & ordinals)
        elif ours[purge] and (there is None or node in there):
            arrived.setdefault(node, []).append(ours[purge])
    return Traces(
        {node: union(parts) for node, parts in arrived.items()},
        {node: hits for node, parts in removed.items() if (hits := union(parts))},
    )


def _derived_by(nodes: Iterable[int], as_of: datetime) -> set[int]:
    edges = LineageEdge.objects.filter(dst__in=list(nodes), valid_from__lte=as_of)
    return set(edges.values_list("dst_id", flat=True))


def strongest_into(nodes: Iterable[int], *, as_of: datetime) -> dict[int, str]:
    """Return the strongest influence of what some nodes had been derived from by a time.

    What followed its records one by one may have carried any: that counts as DIRECT.
    """
    edges = LineageEdge.objects.filter(dst__in=list(nodes), valid_from__lte=as_of)
    acting = edges.filter(~Q(influence=Influence.NONE) | Q(role=Role.SOURCE_DATA))
    strongest: dict[int, str] = {}
    for node, influence in acting.values_list("dst_id", "influence"):
        if influence != Influence.INDIRECT:
            strongest[node] = Influence.DIRECT
        strongest.setdefault(node, Influence.INDIRECT)
    return strongest
