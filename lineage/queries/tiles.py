"""Read slices of membership tiles: which snapshots of a closed group hold a record."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from django.db import connection

from lineage.core.bitmaps import to_array
from lineage.core.tiles import BLOCK, Tile, checked, width
from lineage.models import TileGroup

if TYPE_CHECKING:
    from pyroaring import BitMap

    from lineage.models import OrdinalSpace

# For more records than this, reading the chunks whole is quicker.
MOST = 4_096
_SLICES = """
SELECT w.ordinal, t.block_no, t.encoding, t.sha256,
       CASE WHEN t.encoding = %s THEN substr(t.bitmap, w.place, %s) ELSE t.bitmap END
FROM {wanted} CROSS JOIN lineage_membershiptile t
WHERE t.space_id = %s AND t.group_no = %s AND t.block_no = w.block_no
"""  # CROSS: SQLite would otherwise walk through all tiles of the group
_WANTED = {
    "sqlite": (
        "(SELECT json_extract(value, '$[0]') AS ordinal, json_extract(value, '$[1]') AS block_no,"
        " json_extract(value, '$[2]') AS place FROM json_each(%s)) w"
    ),
    "postgresql": (
        "(SELECT (value->>0)::bigint AS ordinal, (value->>1)::int AS block_no,"
        " (value->>2)::int AS place FROM json_array_elements(%s::json)) w"
    ),
}


def covered_groups(space: OrdinalSpace) -> dict[int, int]:
    """Return how many snapshots the tiles of each group cover; a group being built covers none."""
    groups = TileGroup.objects.filter(space=space, covered__gt=0)
    return dict(groups.values_list("group_no", "covered"))


def slices(space: OrdinalSpace, group: int, covered: int, ordinals: BitMap) -> dict[int, bytes]:
    """Return the slice of each record that the tiles of a group know.

    Args:
        space: of the records.
        group: number of the group.
        covered: snapshots of it that the tiles cover, as ``covered_groups`` says.
        ordinals: the records; few (see ``MOST``).

    Raises:
        TileAltered: a compressed tile is not what was written. (Of the others only a slice is
            read; ``check_membership`` verifies them whole.)
    """
    each = width(covered)
    wanted = [
        (ordinal, ordinal // BLOCK, ordinal % BLOCK * each + 1)
        for ordinal in to_array(ordinals).tolist()
    ]
    statement = _SLICES.format(wanted=_WANTED[connection.vendor])
    opened: dict[int, bytes] = {}
    found = {}
    with connection.cursor() as cursor:
        cursor.execute(statement, [2 * covered, each, json.dumps(wanted), space.id, group])
        for ordinal, block, encoding, sha256, stored in cursor.fetchall():
            if encoding == 2 * covered:
                found[ordinal] = bytes(stored)
                continue
            if block not in opened:
                opened[block] = _whole(space, group, block, encoding, bytes(sha256), bytes(stored))
            start = ordinal % BLOCK * each
            found[ordinal] = opened[block][start : start + each]
    return found


def _whole(
    space: OrdinalSpace, group: int, block: int, encoding: int, sha256: bytes, payload: bytes
) -> bytes:
    tile = Tile(block=block, encoding=encoding, sha256=sha256, payload=payload)
    return checked(tile, where=f"Tile {group}/{block} of space {space.name}")
