"""Where records of a hard purge still act, although their bits are gone."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from django.db.models import Q

from lineage.core.bitmaps import decode, union
from lineage.models import Influence, LineageEdge, PurgeTrace, Role
from lineage.queries.edges import FOR_EVER

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

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
    there = arrived.keys() if as_of == FOR_EVER else _derived_by(arrived, as_of)
    return Traces(
        {node: union(arrived[node]) for node in arrived if node in there},
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
