"""Read slices of membership tiles: which snapshots of a closed group hold a record."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from django.db import connection

from lineage.core.bitmaps import to_array
from lineage.core.tiles import BLOCK, Tile, checked, width
from lineage.models import TileGroup
from lineage.queries.prepared import quick_cursor

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pyroaring import BitMap

    from lineage.models import OrdinalSpace

# For more records than this, reading the chunks whole is quicker.
MOST = 4_096
_SLICE = """
t.encoding, CASE WHEN t.encoding & 1 = 1 THEN t.sha256 END,
CASE WHEN t.encoding = 2 * g.covered
     THEN substr(t.bitmap, CAST({place} AS integer) * ((g.covered + 7) / 8) + 1,
                 (g.covered + 7) / 8)
     ELSE t.bitmap END
"""
# All in one question, since asking costs more than answering. Neither engine may walk through
# all tiles of a group to find a few: hence CROSS JOIN in SQLite, and OFFSET 0 in PostgreSQL.
_SLICES = """
SELECT s.id, g.group_no, g.covered, s.next_seq, w.ordinal, {slice}
FROM lineage_ordinalspace s
JOIN lineage_tilegroup g ON g.space_id = s.id AND g.covered > 0
CROSS JOIN {wanted} LEFT JOIN {tile} WHERE s.id = %s
"""
_AT = (
    "{0}.space_id = g.space_id AND {0}.group_no = g.group_no "
    f"AND {{0}}.block_no = CAST(w.ordinal / {BLOCK} AS integer)"
)
_WITHIN = _SLICE.format(place=f"(w.ordinal & {BLOCK - 1})")
_MANY = {
    "sqlite": _SLICES.format(
        slice=_WITHIN,
        wanted="(SELECT value AS ordinal FROM json_each(%s)) w",
        tile=f"lineage_membershiptile t ON {_AT.format('t')}",
    ),
    "postgresql": _SLICES.format(
        slice=_WITHIN,
        wanted="(SELECT unnest(CAST(%s AS bigint[])) AS ordinal) w",
        tile="LATERAL (SELECT * FROM lineage_membershiptile x "  # noqa: S608  (constants)
        f"WHERE {_AT.format('x')} OFFSET 0) t ON true",
    ),
}
# The same for one record, which needs less planning where statements are not prepared.
_ONE = f"""
SELECT g.space_id, g.group_no, g.covered,
       (SELECT next_seq FROM lineage_ordinalspace s WHERE s.id = g.space_id),
       CAST(%s AS bigint), {_SLICE.format(place="%s")}
FROM lineage_tilegroup g
LEFT JOIN lineage_membershiptile t
  ON t.space_id = g.space_id AND t.group_no = g.group_no AND t.block_no = CAST(%s AS integer)
WHERE g.space_id = CAST(%s AS integer) AND g.covered > 0
"""  # noqa: S608  (constants)


class Slices(NamedTuple):
    """What the tiles of a space tell, by group, and how many snapshots the space has."""

    groups: dict[int, GroupSlices]
    snapshots: int


@dataclass(kw_only=True)
class GroupSlices:
    """What the tiles of one group tell: of how many of its snapshots, and each record's slice."""

    covered: int
    slices: dict[int, bytes] = field(default_factory=dict, repr=False)


def covered_groups(space: OrdinalSpace) -> dict[int, int]:
    """Return how many snapshots the tiles of each group cover; a group being built covers none."""
    groups = TileGroup.objects.filter(space=space, covered__gt=0)
    return dict(groups.values_list("group_no", "covered"))


def slices_of(records: Mapping[OrdinalSpace, BitMap]) -> dict[OrdinalSpace, Slices]:
    """Return what the tiles tell of some records, for each space.

    Of a space without any tiles nothing is told. The records should be few (see ``MOST``).

    Raises:
        TileAltered: a compressed tile is not what was written. (Of the others only a slice is
            read; ``check_membership`` verifies them whole.)
    """
    found = {space: Slices({}, 0) for space in records}
    spaces = {space.id: space for space in records}
    opened: dict[tuple[int, int, int], bytes] = {}
    for pk, group, covered, snapshots, ordinal, encoding, sha256, stored in _asked(records):
        space = spaces[pk]
        groups = found[space].groups
        found[space] = Slices(groups, snapshots)
        known = groups.get(group)
        if known is None:
            known = groups[group] = GroupSlices(covered=covered)
        if encoding is None:
            continue
        part = bytes(stored)
        if encoding % 2:
            block = ordinal // BLOCK
            if (pk, group, block) not in opened:
                where = f"Tile {group}/{block} of space {space.name}"
                tile = Tile(block=block, encoding=encoding, sha256=bytes(sha256), payload=part)
                opened[pk, group, block] = checked(tile, where=where)
            start = ordinal % BLOCK * width(covered)
            part = opened[pk, group, block][start : start + width(covered)]
        known.slices[ordinal] = part
    return found


def _asked(records: Mapping[OrdinalSpace, BitMap]) -> list[tuple[Any, ...]]:
    """Return the rows of all spaces, in one question."""
    questions = [_question(space, ordinals) for space, ordinals in records.items()]
    if not questions:
        return []
    with quick_cursor() as cursor:
        cursor.execute(
            " UNION ALL ".join(statement for statement, _ in questions),
            [value for _, values in questions for value in values],
        )
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows


def _question(space: OrdinalSpace, ordinals: BitMap) -> tuple[str, list[int | str]]:
    """Return the statement and its values."""
    if len(ordinals) == 1:
        only = ordinals.min()
        return _ONE, [only, only % BLOCK, only // BLOCK, space.id]
    wanted = json.dumps(to_array(ordinals).tolist())
    if connection.vendor == "postgresql":
        wanted = "{" + wanted[1:-1] + "}"
    return _MANY[connection.vendor], [wanted, space.id]
