"""Erase records and people, and read back that nothing is left."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import transaction

from lineage import artifacts, keys
from lineage.core.bitmaps import decode, encode
from lineage.models import (
    DataRecord,
    DataSubject,
    LabelConflict,
    LineagePurge,
    RecordContent,
)
from lineage.queries.contents import batches
from lineage.services.journal import write_journal
from lineage.services.locking import lock_space
from lineage.services.openlineage_late import match_before_erasure
from lineage.services.openlineage_locations import forget_located
from lineage.services.report_rewriting import HARD
from lineage.services.rewriting import rewrite_snapshots
from lineage.services.snapshots import check_known
from lineage.services.subjects import key_name
from lineage.services.suppression import suppress_people
from lineage.services.tracing import leave_traces

if TYPE_CHECKING:
    import uuid
    from datetime import datetime

    from pyroaring import BitMap

    from lineage.models import OrdinalSpace

__all__ = [
    "HARD",
    "Receipt",
    "SubjectHasRecords",
    "erase_records",
    "shred_subject",
    "write_journal",
]


SHRED = "SHRED"


class SubjectHasRecords(ValueError):
    """A person cannot be shredded while records are still theirs."""


@dataclass(frozen=True, kw_only=True)
class Receipt:
    """What an erasure found when it read back.

    * ``records``: how many records were to be erased;
    * ``remaining``: how many of them still have a row, a file or an identity.
    """

    records: int
    remaining: int


def erase_records(
    *,
    case_id: uuid.UUID,
    space: OrdinalSpace,
    ordinals: BitMap,
    now: datetime,
    hard: bool = False,
) -> Receipt:
    """Erase contents and identities of records, and count what can still be found of them.

    The ordinals stay as tombstones, so that older digests and evidence remain verifiable; in the
    hard mode they are also taken out of every snapshot, which then has a new digest. First
    the identity goes, the tombstone stands and the bits are rewritten, then each file goes, then
    its row, then the bits that events wrote meanwhile: after a crash, call it again. What the
    store does not delete is counted as remaining; call it again as well.

    Raises:
        OrdinalsUnknown: the space has not handed them out; nothing was erased.
    """
    _bury(case_id=case_id, space=space, ordinals=ordinals, now=now, hard=hard)
    # Where the records lay is forgotten below; an event that named it must be told first.
    match_before_erasure(space=space, ordinals=ordinals, now=now)
    for batch in batches(ordinals):
        _delete_contents(space, batch)
    if hard:  # only now can no event bring a bit back by where its record lay
        _rewrite(LineagePurge.objects.get(space=space, case_id=case_id), ordinals, now)
    remaining = sum(len(_found(space, batch)) for batch in batches(ordinals))
    return Receipt(records=len(ordinals), remaining=remaining)


@transaction.atomic
def _bury(
    *, case_id: uuid.UUID, space: OrdinalSpace, ordinals: BitMap, now: datetime, hard: bool
) -> None:
    check_known(lock_space(space.id), ordinals)
    mode = HARD if hard else SHRED
    purge, created = LineagePurge.objects.get_or_create(
        space=space,
        case_id=case_id,
        defaults={"bitmap": encode(ordinals), "purged_at": now, "mode": mode},
    )
    if not created:
        purge.bitmap, purge.mode = encode(decode(bytes(purge.bitmap)) | ordinals), mode
        purge.save(update_fields=["bitmap", "mode"])
    for batch in batches(ordinals):
        DataRecord.objects.filter(space=space, ordinal__in=batch, invalidated_at=None).update(
            subject=None, key_hmac=None, invalidated_at=now, invalidated_by=case_id
        )
    if hard:  # with the tombstones or not at all: what is known as purged was rewritten too
        _rewrite(purge, ordinals, now)


@transaction.atomic
def _rewrite(purge: LineagePurge, ordinals: BitMap, now: datetime) -> None:
    leave_traces(purge=purge, space=purge.space, ordinals=ordinals)
    rewrite_snapshots(purge=purge, space=purge.space, ordinals=ordinals, now=now)


def _delete_contents(space: OrdinalSpace, batch: list[int]) -> None:
    rows = RecordContent.objects.filter(space=space, ordinal__in=batch)
    # The place that follows from the ordinal as well: a crash may have left a file without row.
    uris = dict(rows.values_list("ordinal", "uri"))
    gone = [
        ordinal
        for ordinal in batch
        if _deleted({artifacts.record_uri(space.public_id, ordinal), *_given(uris, ordinal)})
    ]
    forget_located(space, gone)
    LabelConflict.objects.filter(space=space, ordinal__in=gone).delete()
    LabelConflict.objects.filter(space=space, other_ordinal__in=gone).update(other_ordinal=None)
    rows.filter(ordinal__in=gone).delete()


def _given(uris: dict[int, str], ordinal: int) -> list[str]:
    return [uris[ordinal]] if ordinal in uris else []


def _deleted(uris: set[str]) -> bool:
    try:
        for uri in uris:
            artifacts.destroy(uri)
    except artifacts.ArtefactRemains:
        return False
    return True


def _found(space: OrdinalSpace, batch: list[int]) -> set[int]:
    contents = RecordContent.objects.filter(space=space, ordinal__in=batch)
    named = DataRecord.objects.filter(space=space, ordinal__in=batch, invalidated_at=None)
    stored = {o for o in batch if artifacts.exists(artifacts.record_uri(space.public_id, o))}
    return stored.union(
        contents.values_list("ordinal", flat=True), named.values_list("ordinal", flat=True)
    )


def shred_subject(*, subject: DataSubject, now: datetime, suppress: bool = False) -> DataSubject:
    """Delete a person's identifiers and destroy their key; again, it finishes what is missing.

    Args:
        subject: whose records were all erased before.
        now: when the person was erased.
        suppress: keep a keyed digest of the identifiers, so that the person is not imported
            again (see ``suppression_names`` for what is kept where).

    Raises:
        SubjectHasRecords: records are still theirs; erase these first.
    """
    with transaction.atomic():
        current = DataSubject.objects.select_for_update().get(id=subject.id)
        if left := current.records.count():
            raise SubjectHasRecords(f"{current} still has {left} records; erase these first.")
        if suppress:
            digests = current.identifiers.values_list("digest", flat=True)
            suppress_people(digests, now=now)
        current.identifiers.all().delete()
        if current.erased_at is None:
            current.erased_at = now
            current.save(update_fields=["erased_at"])
    # Last, and outside: a key cannot come back if the transaction does not end well.
    keys.destroy(key_name(current.pseudonym))
    return current
