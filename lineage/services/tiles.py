"""Build membership tiles from chunks, beside whatever goes on.

While a group is being built its ``TileGroup`` covers nothing, so questions are answered from
chunks; the tiles count from the moment at which the last of them is written.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction

from lineage.core.bitmaps import CHUNK_SIZE
from lineage.core.deltas import states
from lineage.core.tiles import BLOCK, GROUP, tiles
from lineage.models import LineagePurge, MembershipTile, OrdinalSpace, TileGroup
from lineage.queries.chunks import chains, reaching, rows_by_chunk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from lineage.core.tiles import Tile

_PER_CHUNK = CHUNK_SIZE // BLOCK
# Building reads every chunk of a group, so it waits until that pays.
_FEWEST, _GROWTH = 32, 0.5


class AnotherBuilds(RuntimeError):
    """Somebody else began to build the same group; this one stopped."""


def due_tiles() -> Iterator[tuple[OrdinalSpace, int, int, int]]:
    """Yield (space, group, snapshots to cover, hard purges so far) where building pays now."""
    for space in OrdinalSpace.objects.filter(next_seq__gte=_FEWEST).order_by("id"):
        covered = dict(TileGroup.objects.filter(space=space).values_list("group_no", "covered"))
        purges = LineagePurge.objects.filter(space=space, mode="HARD").count()
        for group in range(-(-space.next_seq // GROUP)):
            total, have = min(GROUP, space.next_seq - group * GROUP), covered.get(group, 0)
            fresh = total - have
            if fresh and (total == GROUP or fresh >= max(_FEWEST, _GROWTH * have)):
                yield space, group, total, purges


def build_group(
    *,
    space: OrdinalSpace,
    group: int,
    now: datetime,
    covered: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> int:
    """Build the tiles of a group and return how many were written.

    Args:
        space: of the snapshots.
        group: number of the group.
        now: when the building begins; also tells this builder from another.
        covered: snapshots of the group to cover; all that there are if not given.
        progress: called with (chunks done, chunks in all).

    Raises:
        AnotherBuilds: another builder took the group over; its tiles will count.
        ChunkAltered: a chunk is not what was written; no tiles count then.
    """
    current = OrdinalSpace.objects.get(id=space.id)
    count = min(GROUP, current.next_seq - group * GROUP) if covered is None else covered
    _begin(space, group, now)
    first = group * GROUP
    chain = reaching(chains(space), range(first, first + count))
    chunks = -(-current.next_ordinal // CHUNK_SIZE)
    written = 0
    for number in range(chunks):
        rows = dict(rows_by_chunk(space, [number], chain)).get(number, {})
        held = {
            seq - first: members for seq, members in states(chain, rows).items() if seq >= first
        }
        written += _replace(space, group, number, list(tiles(held, number, count)), now)
        if progress is not None:
            progress(number + 1, chunks)
    _finish(space, group, count, now)
    return written


def forget_tiles(*, space: OrdinalSpace) -> None:
    """Let questions about a space be answered from chunks until its tiles are built again."""
    TileGroup.objects.filter(space=space).delete()


@transaction.atomic
def _begin(space: OrdinalSpace, group: int, now: datetime) -> None:
    TileGroup.objects.filter(space=space, group_no=group).delete()
    TileGroup.objects.create(space=space, group_no=group, covered=0, built_at=now)


@transaction.atomic
def _replace(
    space: OrdinalSpace, group: int, number: int, fresh: list[Tile], now: datetime
) -> int:
    _check_ours(space, group, now)
    blocks = range(number * _PER_CHUNK, (number + 1) * _PER_CHUNK)
    MembershipTile.objects.filter(
        space=space, group_no=group, block_no__range=(blocks.start, blocks.stop - 1)
    ).delete()
    MembershipTile.objects.bulk_create(
        MembershipTile(
            space=space,
            group_no=group,
            block_no=tile.block,
            encoding=tile.encoding,
            sha256=tile.sha256,
            bitmap=tile.payload,
        )
        for tile in fresh
    )
    return len(fresh)


@transaction.atomic
def _finish(space: OrdinalSpace, group: int, count: int, now: datetime) -> None:
    _check_ours(space, group, now)
    TileGroup.objects.filter(space=space, group_no=group).update(covered=count)


def _check_ours(space: OrdinalSpace, group: int, now: datetime) -> None:
    ours = TileGroup.objects.select_for_update().filter(
        space=space, group_no=group, covered=0, built_at=now
    )
    if not ours.exists():
        raise AnotherBuilds(f"Somebody else builds group {group} of space {space.name} now.")
