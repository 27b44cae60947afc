"""Compare stored membership with its digests, and the tiles with the chunks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lineage.core.bitmaps import CHUNK_SIZE
from lineage.core.deltas import states
from lineage.core.tiles import BLOCK, GROUP, Tile, TileAltered, checked, tiles
from lineage.models import DatasetSnapshot, MembershipTile, OrdinalSpace
from lineage.queries.chunks import chains, reaching, rows_by_chunk
from lineage.queries.membership import members
from lineage.queries.tiles import covered_groups

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, kw_only=True)
class CheckedMembership:
    """How much was checked and found whole."""

    snapshots: int
    tiles: int


def check_membership() -> CheckedMembership:
    """Check every snapshot and every tile that counts.

    Raises:
        ChunkAltered, SnapshotAltered, TileAltered: at the first damage, naming its place.
    """
    snapshots = 0
    for snapshot in DatasetSnapshot.objects.select_related("space", "dataset").order_by("seq"):
        members(snapshot)
        snapshots += 1
    count = sum(
        _check_group(space, group, covered)
        for space in OrdinalSpace.objects.order_by("id")
        for group, covered in sorted(covered_groups(space).items())
    )
    return CheckedMembership(snapshots=snapshots, tiles=count)


def _check_group(space: OrdinalSpace, group: int, covered: int) -> int:
    first = group * GROUP
    chain = reaching(chains(space), range(first, first + covered))
    count = 0
    for number in range(-(-space.next_ordinal // CHUNK_SIZE)):
        rows = dict(rows_by_chunk(space, [number], chain)).get(number, {})
        held = {seq - first: found for seq, found in states(chain, rows).items() if seq >= first}
        wanted = {tile.block: tile for tile in tiles(held, number, covered)}
        stored = {tile.block: tile for tile in _stored(space, group, number)}
        for block in sorted(wanted.keys() | stored.keys()):
            where = f"Tile {group}/{block} of space {space.name}"
            if block in stored:
                checked(stored[block], where=where)
            if wanted.get(block) != stored.get(block):
                raise TileAltered(
                    f"{where} does not agree with the chunks; manage.py rebuild_tiles mends it."
                )
        count += len(stored)
    return count


def _stored(space: OrdinalSpace, group: int, number: int) -> Iterator[Tile]:
    blocks = number * (CHUNK_SIZE // BLOCK)
    rows = MembershipTile.objects.filter(
        space=space,
        group_no=group,
        block_no__range=(blocks, blocks + CHUNK_SIZE // BLOCK - 1),
    )
    for row in rows.iterator():
        yield Tile(
            block=row.block_no,
            encoding=row.encoding,
            sha256=bytes(row.sha256),
            payload=bytes(row.bitmap),
        )
