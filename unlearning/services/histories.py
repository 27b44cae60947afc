"""Keep what a training needs to be replayed, and let it go with its version."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import Q
from pyroaring import BitMap

from lineage.core.bitmaps import decode, encode
from lineage.models import Artefact, Job
from lineage.services.artefacts import destroy_artefact, store_artefact
from unlearning.models import HistoryFile, HistorySlice, TrainingHistory

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import datetime

    from lineage.models import ModelVersion, OrdinalSpace
    from unlearning.queries.histories import Part

_LIVE = (Job.Status.QUEUED, Job.Status.RUNNING)


@transaction.atomic
def begin(
    *,
    name: str,
    job: Job,
    space: OrdinalSpace,
    ordinals: BitMap,
    now: datetime,
    part: Part | None = None,
) -> TrainingHistory:
    """Return the history of that name, made if this is the first try.

    ``part`` is the shard that it is of, where it is not of the whole.
    """
    history, made = TrainingHistory.objects.get_or_create(
        name=name,
        defaults={
            "job": job,
            "space": space,
            "shard": part.number if part else None,
            "bitmap": encode(ordinals),
            "created_at": now,
        },
    )
    if made and part:
        HistorySlice.objects.bulk_create(
            HistorySlice(history=history, number=number, bound=bound, bitmap=encode(records))
            for number, (bound, records) in enumerate(zip(part.bounds, part.slices, strict=True))
        )
    if history.job_id != job.pk:
        TrainingHistory.objects.filter(pk=history.pk).update(job=job)
    return history


def keep_account(*, history: TrainingHistory, account: bytes) -> None:
    """Note how far the training has come."""
    TrainingHistory.objects.filter(pk=history.pk).update(account=account)


def keep_file(*, history: TrainingHistory, key: str, data: bytes, now: datetime) -> None:
    """Store a state or a stretch of the log; what was under the key before goes.

    Raises:
        StoreFull, StoreNotWritable: nothing was stored.
    """
    drop_file(key=key, now=now)
    with transaction.atomic():  # a row of one alone would lead nobody to the file
        artefact = store_artefact(kind=Artefact.Kind.CHECKPOINT, data=data, now=now)
        HistoryFile.objects.create(history=history, key=key, artefact=artefact)


def drop_file(*, key: str, now: datetime) -> None:
    """Destroy what is stored under a key; it is no error if nothing is."""
    for file in HistoryFile.objects.select_related("artefact").filter(key=key):
        destroy_artefact(artefact=file.artefact, now=now)
        file.delete()


@transaction.atomic
def settle(*, name: str, version: ModelVersion, rests_on: Collection[str] = ()) -> None:
    """Give the history of that name, or of its shards, to the version that came of it.

    From then on they go together. Once or again; there need not be one.

    ``rests_on`` are the keys of files of the training that this one replayed: states from before
    anything that was forgotten. They pass to the new version, since the old one will go.
    """
    named = Q(name=name) | Q(name__startswith=f"{name}/")
    for history in TrainingHistory.objects.select_for_update().filter(named):
        HistoryFile.objects.filter(key__in=rests_on).update(history=history)
        _give(history, version)


@transaction.atomic
def pass_on(*, but: Collection[int], of: ModelVersion, to: ModelVersion) -> None:
    """Give the histories of all shards but some to the version that has these shards now."""
    mine = TrainingHistory.objects.select_for_update().filter(version=of, shard__isnull=False)
    for history in mine.exclude(shard__in=but):
        _give(history, to)


def _give(history: TrainingHistory, version: ModelVersion) -> None:
    TrainingHistory.objects.filter(pk=history.pk).update(version=version)
    files = HistoryFile.objects.filter(history=history)
    Artefact.objects.filter(pk__in=files.values("artefact")).update(version=version)


def discard(*, history: TrainingHistory, now: datetime) -> None:
    """Destroy a history that no version came of."""
    for key in list(history.files.values_list("key", flat=True)):
        drop_file(key=key, now=now)
    history.delete()


def forget(*, version: ModelVersion) -> None:
    """Drop the account of a version whose files were destroyed: it names seeds and holes."""
    TrainingHistory.objects.filter(version=version).delete()


def discard_unfinished(*, records: Mapping[OrdinalSpace, BitMap], now: datetime) -> int:
    """Destroy what trainings left that gave no version; return how many there were.

    Those that will not go on, and those that learned from some records, whatever becomes of their
    job: without its history it fails, and when it is tried again it begins anew.
    """
    found = [
        history
        for history in TrainingHistory.objects.filter(version=None).select_related("job", "space")
        if history.job is None
        or history.job.status not in _LIVE
        or (history.space and _learned(history).intersect(records.get(history.space, BitMap())))
    ]
    for history in found:
        discard(history=history, now=now)
    return len(found)


def _learned(history: TrainingHistory) -> BitMap:
    return decode(bytes(history.bitmap)) if history.bitmap else BitMap()
