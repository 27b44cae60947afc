"""Count what a hard purge took out of the data of a run as read by it all the same."""

from __future__ import annotations

import uuid
from contextlib import suppress
from typing import TYPE_CHECKING

from django.db.models import Count, Min, Q

from lineage.core.bitmaps import decode, union
from lineage.models import DatasetSnapshot, Influence, PurgeTrace, RunInput, SnapshotSupersession
from lineage.queries.membership import members
from lineage.queries.told import TOLD_STATE
from lineage.services.snapshots import Origin, record_snapshot

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from datetime import datetime

    from django.db.models import QuerySet
    from pyroaring import BitMap

    from lineage.models import Run


def recall_rewritten(
    run: Run, now: datetime, *, since: datetime | None, digests: Collection[str] | None = None
) -> None:
    """Count what a hard purge took out of a declared snapshot, since the run began, as read.

    Nobody may have said when it began; then whatever was ever taken out counts.

    The purge knows which ordinals it took from the space, not which of them were in this
    snapshot: all are counted, as at least one was. What it noted of everything that the run wrote
    is known without their bits, and writes none anew.

    Args:
        run: which has ended.
        now: when.
        since: when it began, or None.
        digests: by which a run outside named what it read, or ids. Of a snapshot that it named by
            digests alone, what was taken out after it had one of these counts, whenever the run
            began. None: the run was captured here.
    """
    traced = _traced(run)
    read = run.inputs.exclude(influence=Influence.NONE).select_related("node")
    for used in read if digests is not None else read.filter(used_snapshot=None):
        noted = _taken_out(used, since, digests or ()).exclude(purge__in=traced)
        gone = union(decode(bytes(one.purge.bitmap)) for one in noted.select_related("purge"))
        if gone:
            _recall(run, used, gone, now)


def _taken_out(
    used: RunInput, since: datetime | None, digests: Collection[str]
) -> QuerySet[SnapshotSupersession]:
    """Return what was superseded after the state that the run named, or after it began."""
    noted = SnapshotSupersession.objects.filter(snapshot_id=used.node.object_id)
    named = noted.filter(previous_digest__in=digests)
    first = named.aggregate(first=Min("id"))["first"]
    if _by_digest_alone(used.node.object_id, digests, purged=first is not None):
        return noted.none() if first is None else noted.filter(id__gte=first)
    if since is None:
        return noted
    after = Q(superseded_at__gte=since)
    return noted.filter(after if first is None else after | Q(id__gte=first))


def _by_digest_alone(snapshot: uuid.UUID, names: Collection[str], *, purged: bool) -> bool:
    """Whether it is known record by record in which state a snapshot of ours was read.

    ``purged``: whether one of the names is a digest that it had before a purge.
    """
    ours = DatasetSnapshot.objects.exclude(TOLD_STATE).filter(id=snapshot)
    return snapshot not in set(_ids(names)) and (
        ours.exists() if purged else ours.filter(digest__in=names).exists()
    )


def _ids(names: Collection[str]) -> Iterator[uuid.UUID]:
    for name in names:
        with suppress(ValueError):
            yield uuid.UUID(name)


def _recall(run: Run, used: RunInput, gone: BitMap, now: datetime) -> None:
    snapshots = DatasetSnapshot.objects.select_related("space", "dataset")
    declared = snapshots.get(id=used.node.object_id)
    known = members(snapshots.get(id=used.used_snapshot_id or declared.id))
    if not gone.issubset(known):
        drawn = drawn_part(declared, run, known | gone, now)
        RunInput.objects.filter(id=used.id).update(used_snapshot=drawn)


def _traced(run: Run) -> list[uuid.UUID]:
    """Return the hard purges whose records are noted as acting on each node that a run wrote."""
    written = run.outputs.values("node")
    noted = PurgeTrace.objects.filter(node__in=written).values("purge")
    whole = noted.annotate(nodes=Count("node")).filter(nodes=run.outputs.count())
    return list(whole.values_list("purge", flat=True))


def drawn_part(
    declared: DatasetSnapshot, run: Run, used: BitMap, now: datetime
) -> DatasetSnapshot:
    """Return a new snapshot of what a run really used of another."""
    origin = Origin(parent=declared, rule={"drawn_by_run": str(run.id)})
    return record_snapshot(dataset=declared.dataset, now=now, ordinals=used, origin=origin)
