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

from lineage.models import DataSubject, ModelVersion, OrdinalSpace
from lineage.queries.closure import affected
from lineage.services.missing_erasures import missing_entries, not_deleted
from lineage.services.purge import HARD, Receipt, erase_records, shred_subject
from lineage.services.versions import quarantine

if TYPE_CHECKING:
    from collections.abc import Callable

    from lineage.services.journal import JournalEntry


@dataclass(frozen=True, kw_only=True)
class Replayed:
    """What the replay of one erasure did.

    * ``records``: how many records its line names, ``remaining`` those that can still be found;
    * ``quarantined``: versions that had learned from them and were in use again.
    """

    records: int
    remaining: int
    quarantined: tuple[ModelVersion, ...]


def replay(*, now: datetime, note: Callable[[Replayed], None]) -> list[Replayed]:
    """Erase what the journal names and the database holds again; again, it does nothing.

    Records lose content and identity, people their identifiers and keys, and versions that
    learned from them and are in use again are quarantined. Ordinals that were handed out after
    the backup are never handed out twice.

    Args:
        now: the time of this call.
        note: told of each erasure inside its transaction, so that none is done unnoted. A
            crash undoes what the database did for that erasure; the next call does it again.
    """
    done: dict[str, Replayed] = {}
    # Once more: a person can be shredded when the last of their records is erased.
    while fresh := [
        entry for entry in (*missing_entries(), *not_deleted()) if entry.sha256 not in done
    ]:
        done |= {entry.sha256: _again(entry, now, note) for entry in fresh}
    return list(done.values())


@transaction.atomic
def _again(entry: JournalEntry, now: datetime, note: Callable[[Replayed], None]) -> Replayed:
    space = _reserved(entry)
    found = _quarantined(space, entry, now) if space else ()
    receipt = _erased(space, entry)
    if entry.person:
        _shred(entry.person, now)
    done = Replayed(records=receipt.records, remaining=receipt.remaining, quarantined=found)
    note(done)
    return done


def _erased(space: OrdinalSpace | None, entry: JournalEntry) -> Receipt:
    if space is None:
        return Receipt(records=0, remaining=0)
    return erase_records(
        case_id=uuid.UUID(entry.case_id),
        space=space,
        ordinals=entry.ordinals,
        now=datetime.fromisoformat(entry.erased_at),
        hard=settings.EXPUNGE_PURGE_MODE == HARD,
    )


def _reserved(entry: JournalEntry) -> OrdinalSpace | None:
    """Return the space of an entry, with its ordinals marked as handed out."""
    if not entry.space_id:
        return None
    spaces = OrdinalSpace.objects.filter(public_id=entry.space_id)
    if entry.ordinals:
        beyond = int(entry.ordinals.max()) + 1
        spaces.filter(next_ordinal__lt=beyond).update(
            next_ordinal=Greatest(F("next_ordinal"), beyond)
        )
    return spaces.first()


def _quarantined(
    space: OrdinalSpace, entry: JournalEntry, now: datetime
) -> tuple[ModelVersion, ...]:
    hits = affected(space, entry.ordinals).versions
    return tuple(hit.version for hit in hits if quarantine(version=hit.version, now=now))


def _shred(pseudonym: str, now: datetime) -> None:
    """Shred the person, unless records are left that no entry named."""
    for subject in DataSubject.objects.filter(pseudonym=pseudonym):
        if not subject.records.exists():
            shred_subject(subject=subject, now=now, suppress=True)
