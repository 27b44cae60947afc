"""Erase again what a restored backup has brought back; refuse to serve until that is done.

The journal of erasures lies outside every backup. An entry that the database does not know as
purged was erased after the backup was made: the database holds that person again.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Greatest

from lineage.core.bitmaps import decode
from lineage.models import DataSubject, Job, LineagePurge, ModelVersion, OrdinalSpace
from lineage.queries.closure import affected
from lineage.queries.contents import stored
from lineage.services.journal import JournalEntry, read_journal
from lineage.services.purge import HARD, erase_records, shred_subject
from lineage.services.versions import quarantine

if TYPE_CHECKING:
    from collections.abc import Iterable

_settled: set[str] = set()  # journals that this process has compared and found replayed


@dataclass(frozen=True, kw_only=True)
class Replayed:
    """What a replay did.

    * ``entries``: erasures of the journal that were missing here;
    * ``records``: records that they name, ``remaining`` those that can still be found;
    * ``quarantined``: versions that had learned from them and were in use again.
    """

    entries: int
    records: int
    remaining: int
    quarantined: tuple[ModelVersion, ...]


def replay_needed() -> bool:
    """Return whether this database must not be served before ``replay_erasures`` has run.

    Compared once per process until it agrees: only a restore, which needs new processes, can
    change that.
    """
    journal = str(settings.EXPUNGE_JOURNAL)
    if journal in _settled:
        return False
    if missing_entries():
        return True
    _settled.add(journal)
    return False


def missing_entries() -> list[JournalEntry]:
    """Return the erasures of the journal that this database does not know.

    Not those of a space that it does not have, and not one that is just being done: the journal
    is written first, and the job that erases finishes what it began.
    """
    if not settings.EXPUNGE_JOURNAL.exists():
        return []
    spaces = dict(OrdinalSpace.objects.values_list("public_id", "id"))
    purges = {
        (space, case): decode(bytes(bitmap))
        for space, case, bitmap in LineagePurge.objects.values_list(
            "space_id", "case_id", "bitmap"
        )
    }
    missing = []
    for entry in read_journal():
        space = spaces.get(uuid.UUID(entry.space_id))
        known = purges.get((space or 0, uuid.UUID(entry.case_id)))
        if space is not None and (known is None or not entry.ordinals <= known):
            missing.append(entry)
    return _without_current(missing)


def _without_current(entries: list[JournalEntry]) -> list[JournalEntry]:
    at_work = set(
        Job.objects.filter(kind="ERASE", payload_id__in={entry.case_id for entry in entries})
        .filter(status__in=(Job.Status.QUEUED, Job.Status.RUNNING))
        .values_list("payload_id", flat=True)
    )
    return [entry for entry in entries if uuid.UUID(entry.case_id) not in at_work]


def replay(*, now: datetime) -> Replayed:
    """Erase what the journal names and the database holds again; again, it does nothing.

    Records lose content and identity, people their identifiers and keys, and versions that
    learned from them and are in use again are quarantined. Ordinals that were handed out after
    the backup are never handed out twice.
    """
    missing = missing_entries() + _unfinished()
    records = remaining = 0
    found: dict[uuid.UUID, ModelVersion] = {}
    for entry in missing:
        space = _reserved(entry)
        found |= {version.id: version for version in _quarantined(space, entry, now)}
        receipt = erase_records(
            case_id=uuid.UUID(entry.case_id),
            space=space,
            ordinals=entry.ordinals,
            now=datetime.fromisoformat(entry.erased_at),
            hard=settings.EXPUNGE_PURGE_MODE == HARD,
        )
        records += receipt.records
        remaining += receipt.remaining
    _shred({entry.person for entry in missing if entry.person}, now)
    return Replayed(
        entries=len(missing),
        records=records,
        remaining=remaining,
        quarantined=tuple(found.values()),
    )


def _unfinished() -> list[JournalEntry]:
    """Return entries that are known as purged but of which the store did not delete all."""
    spaces = {str(space.public_id): space for space in OrdinalSpace.objects.all()}
    return [
        entry
        for entry in read_journal()
        if (space := spaces.get(entry.space_id))
        and LineagePurge.objects.filter(space=space, case_id=entry.case_id).exists()
        and stored(space, entry.ordinals)
    ]


def _reserved(entry: JournalEntry) -> OrdinalSpace:
    """Return the space of an entry, with its ordinals marked as handed out."""
    spaces = OrdinalSpace.objects.filter(public_id=entry.space_id)
    if entry.ordinals:
        beyond = int(entry.ordinals.max()) + 1
        spaces.filter(next_ordinal__lt=beyond).update(
            next_ordinal=Greatest(F("next_ordinal"), beyond)
        )
    return spaces.get()


def _quarantined(
    space: OrdinalSpace, entry: JournalEntry, now: datetime
) -> Iterable[ModelVersion]:
    for hit in affected(space, entry.ordinals).versions:
        if quarantine(version=hit.version, now=now):
            yield hit.version


def _shred(pseudonyms: Iterable[str], now: datetime) -> None:
    for subject in DataSubject.objects.filter(pseudonym__in=list(pseudonyms)):
        with transaction.atomic():
            if not subject.records.exists():
                shred_subject(subject=subject, now=now, suppress=True)
