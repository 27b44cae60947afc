"""Compare the journal of erasures with the database: does it hold people who were erased?"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from django.conf import settings
from django.db.models import Q

from lineage.core.bitmaps import decode
from lineage.models import DataSubject, Job, LineagePurge, OrdinalSpace
from lineage.queries.contents import stored
from lineage.services.journal import read_journal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lineage.services.journal import JournalEntry

_BATCH = 500
_settled: set[str] = set()  # journals that this process has compared and found replayed


class ErasuresNotReplayed(RuntimeError):
    """The database was restored, and new records could get ordinals that were erased."""


def require_replayed() -> None:
    """Refuse to go on in a restored database.

    Raises:
        ErasuresNotReplayed: ``replay_erasures`` must run first.
    """
    if replay_needed():
        raise ErasuresNotReplayed(
            "This database was restored from a backup, or its journal of erasures is missing. Run "
            "manage.py replay_erasures first: new records could get ordinals that the journal "
            "names as erased."
        )


def replay_needed() -> bool:
    """Return whether this database must not be served before ``replay_erasures`` has run.

    Compared once per process until it agrees: only a restore, which needs new processes, can
    change that.
    """
    journal = str(settings.EXPUNGE_JOURNAL)
    if journal in _settled:
        return False
    entries = _entries()
    missing = _missing(entries)
    if _lost(entries) or _without_current(missing):
        return True
    if not missing:  # else a job may yet fail to finish what it began
        _settled.add(journal)
    return False


def journal_lost() -> bool:
    """Return whether there were erasures that no line of the journal names: it is another one.

    Then it cannot say which erasures are missing here.
    """
    return _lost(_entries())


def missing_entries() -> list[JournalEntry]:
    """Return the erasures of the journal that this database does not know, or not wholly.

    Not those of a space that it does not have.
    """
    return _missing(_entries())


def _entries() -> list[JournalEntry]:
    """Return what the journal names; reading one that is not there would begin it."""
    return read_journal() if settings.EXPUNGE_JOURNAL.exists() else []


def _lost(entries: Sequence[JournalEntry]) -> bool:
    purges = LineagePurge.objects.values_list("space__public_id", "case_id")
    known = {(str(space), str(case)) for space, case in purges}
    return not known <= {(entry.space_id, entry.case_id) for entry in entries}


def _missing(entries: Sequence[JournalEntry]) -> list[JournalEntry]:
    spaces = dict(OrdinalSpace.objects.values_list("public_id", "id"))
    purges = {
        (space, case): decode(bytes(bitmap))
        for space, case, bitmap in LineagePurge.objects.values_list(
            "space_id", "case_id", "bitmap"
        )
    }
    returned = _returned_people(entries)
    missing = []
    for entry in entries:
        space = spaces.get(uuid.UUID(entry.space_id)) if entry.space_id else None
        known = purges.get((space or 0, uuid.UUID(entry.case_id)))
        absent = space is not None and (known is None or not entry.ordinals <= known)
        if absent or entry.person in returned:
            missing.append(entry)
    return missing


def not_deleted() -> list[JournalEntry]:
    """Return entries that are known as purged but of which the store did not delete all."""
    spaces = {str(space.public_id): space for space in OrdinalSpace.objects.all()}
    return [
        entry
        for entry in _entries()
        if (space := spaces.get(entry.space_id))
        and LineagePurge.objects.filter(space=space, case_id=entry.case_id).exists()
        and stored(space, entry.ordinals)
    ]


def _returned_people(entries: Sequence[JournalEntry]) -> set[str]:
    """Return the pseudonyms of whom nothing is left but who they were.

    Who has records again was imported again, under an entry that is missing or lawfully.
    """
    names = sorted({entry.person for entry in entries} - {""})
    found: set[str] = set()
    for start in range(0, len(names), _BATCH):
        living = DataSubject.objects.filter(
            pseudonym__in=names[start : start + _BATCH], erased_at=None, records=None
        )
        found.update(str(one) for one in living.values_list("pseudonym", flat=True))
    return found


def _without_current(entries: Sequence[JournalEntry]) -> list[JournalEntry]:
    """Leave out what is just being done: the journal is written first, then the job erases.

    An attempt that failed counts too, if it is the one that wrote the line: staff retry it. In
    a restored database the line is newer than the attempt.
    """
    at_work = Q(status__in=(Job.Status.QUEUED, Job.Status.RUNNING))
    return [
        entry
        for entry in entries
        if not _handed_out(entry)
        or not Job.objects.filter(
            at_work | Q(ended_at__gte=entry.erased_at),
            kind="ERASE",
            payload_id=entry.case_id,
        )
        .exclude(status=Job.Status.SUCCEEDED)
        .exists()
    ]


def _handed_out(entry: JournalEntry) -> bool:
    if not entry.ordinals:
        return True
    beyond = OrdinalSpace.objects.filter(
        public_id=entry.space_id, next_ordinal__gt=int(entry.ordinals.max())
    )
    return beyond.exists()
