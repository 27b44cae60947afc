"""Read slices of membership tiles: which snapshots of a closed group hold a record."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from django.db import connection

from lineage.core.bitmaps import to_array
from lineage.core.tiles import BLOCK, GROUP, Tile, checked, history, width
from lineage.models import TileGroup

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    from numpy.typing import NDArray
    from pyroaring import BitMap

    from lineage.models import OrdinalSpace

# For more records than this, reading the chunks whole is quicker.
MOST = 4_096
_SLICES = """
SELECT w.ordinal, t.block_no, t.encoding, t.sha256,
       CASE WHEN t.encoding = %s THEN substr(t.bitmap, w.place, %s) ELSE t.bitmap END
FROM {wanted} JOIN lineage_membershiptile t
  ON t.space_id = %s AND t.group_no = %s AND t.block_no = w.block_no
"""
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


def histories(
    space: OrdinalSpace, group: int, covered: int, ordinals: BitMap
) -> Iterator[tuple[int, NDArray[np.intp]]]:
    """Yield each record that a group of snapshots holds, with the snapshots' numbers.

    Args:
        space: of the records.
        group: number of the group.
        covered: snapshots of it that the tiles cover, as ``covered_groups`` says.
        ordinals: the records; few (see ``MOST``).

    Raises:
        TileAltered: a tile is not what was written.
    """
    bytes_each = width(covered)
    wanted = [
        (int(ordinal), int(ordinal) // BLOCK, int(ordinal) % BLOCK * bytes_each + 1)
        for ordinal in to_array(ordinals)
    ]
    statement = _SLICES.format(wanted=_WANTED[connection.vendor])
    with connection.cursor() as cursor:
        cursor.execute(statement, [2 * covered, bytes_each, json.dumps(wanted), space.id, group])
        for ordinal, block, encoding, sha256, found in cursor.fetchall():
            slice_ = bytes(found)
            if encoding % 2:
                tile = Tile(block=block, encoding=encoding, sha256=bytes(sha256), payload=slice_)
                bits = checked(tile, where=f"Tile {group}/{block} of space {space.name}")
                start = ordinal % BLOCK * bytes_each
                slice_ = bits[start : start + bytes_each]
            yield ordinal, history(slice_) + group * GROUP
