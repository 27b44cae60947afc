"""Take ordinals out of every stored snapshot: the hard mode of a purge.

A snapshot is otherwise never changed. What is rewritten gets a new digest, and a row that names
the one before, so that older evidence can still be understood.
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from django.db import transaction

from lineage.core.bitmaps import chunk_numbers, decode, encode, split
from lineage.core.deltas import rows_of, states
from lineage.core.first_steps import without
from lineage.core.membership import snapshot_digest
from lineage.models import (
    DatasetSnapshot,
    PurgePermit,
    ReceivedEvent,
    RunInput,
    SnapshotChunk,
    SnapshotSupersession,
)
from lineage.queries.chunks import chains, rows_by_chunk
from lineage.queries.membership import holding_by_chunks, put_together
from lineage.services.locking import lock_space
from lineage.services.report_rewriting import rewrite_reports
from lineage.services.tiles import forget_tiles

if TYPE_CHECKING:
    from datetime import datetime

    from pyroaring import BitMap

    from lineage.models import LineagePurge, OrdinalSpace
    from lineage.queries.chunks import Chain


@transaction.atomic
def rewrite_snapshots(
    *, purge: LineagePurge, space: OrdinalSpace, ordinals: BitMap, now: datetime
) -> list[SnapshotSupersession]:
    """Remove the ordinals from every snapshot of a space; return what superseded what.

    And from events and reports of trainings, from which they would be written anew.

    Again, it finds nothing left to remove. All other answers stay as they were.

    Raises:
        ChunkAltered: stored membership is damaged; nothing was changed.
    """
    lock_space(space.id)
    _rewrite_events(space, ordinals)
    rewrite_reports(purge=purge, space=space, gone=ordinals)
    chain = chains(space)
    touched = holding_by_chunks(space, ordinals, chain)
    if not touched:
        return []
    forget_tiles(space=space)
    permit = PurgePermit.objects.create(purge=purge)
    for number in chunk_numbers(ordinals):
        _rewrite_chunk(space, number, chain, ordinals)
    noted = [_supersede(space, seq, purge, now) for seq in sorted(touched)]
    for note in noted:
        _rewrite_steps(note.snapshot, touched[note.snapshot.seq])
    permit.delete()
    return noted


def _rewrite_chunk(space: OrdinalSpace, number: int, chain: Chain, ordinals: BitMap) -> None:
    rows = dict(rows_by_chunk(space, [number], chain)).get(number, {})
    kept = {seq: members - ordinals for seq, members in states(chain, rows).items()}
    SnapshotChunk.objects.filter(space=space, chunk_no=number).delete()
    SnapshotChunk.objects.bulk_create(
        SnapshotChunk(
            space=space,
            chunk_no=number,
            seq=seq,
            encoding=chunk.encoding,
            is_delta=chunk.is_delta,
            cardinality=chunk.cardinality,
            sha256=chunk.sha256,
            bitmap=chunk.payload,
        )
        for seq, chunk in rows_of(chain, kept, number)
    )


def _rewrite_steps(snapshot: DatasetSnapshot, gone: BitMap) -> None:
    """Take the ordinals out of the first steps, which stand in the order of the members."""
    noted = RunInput.objects.filter(used_snapshot=snapshot, first_step_blob__isnull=False)
    for used in noted:
        before = put_together(snapshot) | gone
        used.first_step_blob = without(bytes(used.first_step_blob or b""), before, gone)
        used.save(update_fields=["first_step_blob"])


def _rewrite_events(space: OrdinalSpace, gone: BitMap) -> None:
    """Take the ordinals out of events, from which a later event would write them anew."""
    for event in ReceivedEvent.objects.all().iterator():
        told = [
            part
            for named in event.body.get("inputs", [])
            for part in named["members"]
            if part["space"] == space.id
        ]
        before = [members["ordinals"] for members in told]
        for members in told:
            kept = decode(base64.b64decode(members["ordinals"])) - gone
            members["ordinals"] = base64.b64encode(encode(kept)).decode("ascii")
        if before != [members["ordinals"] for members in told]:
            event.save(update_fields=["body"])


def _supersede(
    space: OrdinalSpace, seq: int, purge: LineagePurge, now: datetime
) -> SnapshotSupersession:
    snapshot = DatasetSnapshot.objects.select_related("space").get(space=space, seq=seq)
    members = put_together(snapshot)
    previous = snapshot.digest
    digest = snapshot_digest((chunk.number, chunk.sha256) for chunk in split(members))
    DatasetSnapshot.objects.filter(id=snapshot.id).update(digest=digest, record_count=len(members))
    return SnapshotSupersession.objects.create(
        snapshot=snapshot,
        purge=purge,
        previous_digest=previous,
        digest=digest,
        superseded_at=now,
    )
