"""Read slices of membership tiles: which snapshots of a closed group hold a record."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
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
# All in one question, since asking costs more than answering. CROSS JOIN: SQLite would otherwise
# walk through all tiles of a group.
_SLICES = """
SELECT g.group_no, g.covered, s.next_seq, w.ordinal, t.block_no, t.encoding, t.sha256,
       CASE WHEN t.encoding = 2 * g.covered
            THEN substr(t.bitmap, {place}, {width}) ELSE t.bitmap END
FROM lineage_ordinalspace s
JOIN lineage_tilegroup g ON g.space_id = s.id AND g.covered > 0
CROSS JOIN {wanted}
LEFT JOIN lineage_membershiptile t
  ON t.space_id = g.space_id AND t.group_no = g.group_no AND t.block_no = {block}
WHERE s.id = %s
"""
# The same for one record, which PostgreSQL plans in half the time that it takes for many.
_ONE = """
SELECT g.group_no, g.covered,
       (SELECT next_seq FROM lineage_ordinalspace s WHERE s.id = g.space_id),
       CAST(%s AS bigint), t.block_no, t.encoding, t.sha256,
       CASE WHEN t.encoding = 2 * g.covered
            THEN substr(t.bitmap, {place}, {width}) ELSE t.bitmap END
FROM lineage_tilegroup g
LEFT JOIN lineage_membershiptile t
  ON t.space_id = g.space_id AND t.group_no = g.group_no AND t.block_no = {block}
WHERE g.space_id = %s AND g.covered > 0
"""
_WANTED = {
    "sqlite": "(SELECT value AS ordinal FROM json_each(%s)) w",
    "postgresql": "(SELECT value::bigint AS ordinal FROM json_array_elements_text(%s::json)) w",
}
_WHOLE = {"sqlite": "({})", "postgresql": "({})::int"}


@dataclass(kw_only=True)
class GroupSlices:
    """What the tiles of one group tell: of how many of its snapshots, and each record's slice."""

    covered: int
    slices: dict[int, bytes] = field(default_factory=dict, repr=False)


def covered_groups(space: OrdinalSpace) -> dict[int, int]:
    """Return how many snapshots the tiles of each group cover; a group being built covers none."""
    groups = TileGroup.objects.filter(space=space, covered__gt=0)
    return dict(groups.values_list("group_no", "covered"))


def slices_of(space: OrdinalSpace, ordinals: BitMap) -> tuple[dict[int, GroupSlices], int]:
    """Return what the tiles tell of some records, by group, and how many snapshots there are.

    Without any tiles both are empty. The records should be few (see ``MOST``).

    Raises:
        TileAltered: a compressed tile is not what was written. (Of the others only a slice is
            read; ``check_membership`` verifies them whole.)
    """
    groups: dict[int, GroupSlices] = {}
    opened: dict[tuple[int, int], bytes] = {}
    snapshots = 0
    with connection.cursor() as cursor:
        cursor.execute(*_question(space, ordinals))
        for group, covered, snapshots, ordinal, block, encoding, *stored in cursor.fetchall():  # noqa: B007
            known = groups.setdefault(group, GroupSlices(covered=covered))
            if block is None:
                continue
            found = bytes(stored[1])
            if encoding % 2:
                if (group, block) not in opened:
                    where = f"Tile {group}/{block} of space {space.name}"
                    tile = Tile(
                        block=block, encoding=encoding, sha256=bytes(stored[0]), payload=found
                    )
                    opened[group, block] = checked(tile, where=where)
                start = ordinal % BLOCK * width(covered)
                found = opened[group, block][start : start + width(covered)]
            known.slices[ordinal] = found
    return groups, snapshots


def _question(space: OrdinalSpace, ordinals: BitMap) -> tuple[str, list[int | str]]:
    """Return the statement and its values."""
    if len(ordinals) == 1:
        (only,) = ordinals
        return _filled(_ONE, str(int(only))), [int(only), space.id]
    wanted = json.dumps(to_array(ordinals).tolist())
    return _filled(_SLICES, "w.ordinal"), [wanted, space.id]


def _filled(statement: str, ordinal: str) -> str:
    whole = _WHOLE[connection.vendor]
    return statement.format(
        wanted=_WANTED[connection.vendor],
        block=whole.format(f"{ordinal} / {BLOCK}"),
        place=whole.format(f"({ordinal} & {BLOCK - 1}) * ((g.covered + 7) / 8) + 1"),
        width=whole.format("(g.covered + 7) / 8"),
    )
