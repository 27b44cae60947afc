"""The erasure journal: which ordinals were erased, kept outside every backup.

A database restored from a backup holds erased people again; replaying the journal erases them
once more. One line of RFC 8785 JSON per erasure: pseudonymous numbers, no identifier.
"""

from __future__ import annotations

import base64
import fcntl
import hashlib
import json
import os
import uuid
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import rfc8785
from django.conf import settings
from pyroaring import BitMap

from lineage.core.bitmaps import decode, encode
from lineage.core.worded import worded
from lineage.models import DataSubject, LineagePurge

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from lineage.models import OrdinalSpace

_NO_CASE = uuid.UUID(int=0)


class JournalFull(OSError):
    """The disk of the journal has no room for a line."""


@dataclass(frozen=True, kw_only=True)
class JournalEntry:
    """One erasure as the journal knows it; ``sha256`` is that of its line.

    ``person`` is the pseudonym of whom it was about; empty where several people's records, or
    nobody's, were erased. ``space_id`` is empty where a person had no records.
    """

    case_id: str
    space_id: str
    person: str
    ordinals: BitMap = field(repr=False)
    erased_at: str
    sha256: str


def write_journal(
    *,
    case_id: uuid.UUID,
    space: OrdinalSpace | None,
    ordinals: BitMap,
    now: datetime,
    person: DataSubject | None = None,
) -> str:
    """Append an erasure and return the SHA-256 of its line, once the line is on the disk.

    Again, for the same case, space and ordinals, it appends nothing and returns the same. No
    space: of a person who had no records.

    Raises:
        JournalFull, JournalMissing: nothing was appended.
    """
    body = _body(case_id, space, ordinals, now, str(person.pseudonym) if person else "")
    if not Path(settings.EXPUNGE_JOURNAL).exists() and LineagePurge.objects.exists():
        raise JournalMissing(
            worded(
                "There were erasures, but no journal is at %(path)s. Bring it back, or start"
                " one with manage.py replay_erasures --new-journal; then retry.",
                path=settings.EXPUNGE_JOURNAL,
            )
        )
    with _locked() as descriptor:
        for entry in _entries(_whole_lines(descriptor)):
            if (entry.case_id, entry.space_id, entry.ordinals) == (
                body["case"],
                body["space"],
                ordinals,
            ):
                return entry.sha256
        return _append(descriptor, rfc8785.dumps({**body}))


class JournalMissing(OSError):
    """There were erasures, but the journal that must name them is not there."""


def rebuild_journal() -> int:
    """Add to a lost journal what this database knows and it does not; return how many lines.

    It cannot name what was erased after the database was backed up. All of it is there at once
    or, after a crash, nothing.
    """
    path = Path(settings.EXPUNGE_JOURNAL)
    with _locked() as descriptor:
        kept = _whole_lines(descriptor)
        known = {(entry.case_id, entry.space_id) for entry in _entries(kept)}
        people = {entry.person for entry in _entries(kept)}
        fresh = [body for body in _known_purges() if (body["case"], body["space"]) not in known]
        fresh += [body for body in _known_people() if body["person"] not in people]
        lines = kept + [rfc8785.dumps({**body}) for body in fresh]
        draft = path.with_suffix(".new")
        with draft.open("wb") as file:
            file.write(b"".join(line + b"\n" for line in lines))
            os.fsync(file.fileno())
        draft.chmod(0o600)
        draft.replace(path)
    return len(fresh)


def _known_purges() -> list[dict[str, str | int]]:
    return [
        _body(purge.case_id, purge.space, decode(bytes(purge.bitmap)), purge.purged_at, "")
        for purge in LineagePurge.objects.select_related("space").order_by("purged_at")
    ]


def _known_people() -> list[dict[str, str | int]]:
    """Return a line for each erased person: which case it was is not known any more."""
    return [
        _body(_NO_CASE, None, BitMap(), person.erased_at, str(person.pseudonym))
        for person in DataSubject.objects.exclude(erased_at=None).order_by("erased_at")
        if person.erased_at
    ]


def _body(
    case_id: uuid.UUID, space: OrdinalSpace | None, ordinals: BitMap, at: datetime, person: str
) -> dict[str, str | int]:
    return {
        "case": str(case_id),
        "count": len(ordinals),
        "erased_at": at.isoformat(),
        "ordinals": base64.b64encode(encode(ordinals)).decode("ascii"),
        "space": str(space.public_id) if space else "",
        "person": person,
    }


def read_journal() -> list[JournalEntry]:
    """Return every erasure, oldest first; a line that a crash cut short is left out."""
    with _locked() as descriptor:
        return list(_entries(_whole_lines(descriptor)))


def _append(descriptor: int, line: bytes) -> str:
    size = os.fstat(descriptor).st_size
    if os.write(descriptor, line + b"\n") <= len(line):
        os.ftruncate(descriptor, size)
        raise JournalFull(
            worded("There is no room for the erasure journal; nothing was appended.")
        )
    os.fsync(descriptor)
    return hashlib.sha256(line).hexdigest()


@contextmanager
def _locked() -> Iterator[int]:
    path = Path(settings.EXPUNGE_JOURNAL)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield descriptor
    finally:
        os.close(descriptor)


def _whole_lines(descriptor: int) -> list[bytes]:
    """Return the lines, after cutting off what a crash left without an end."""
    with os.fdopen(os.dup(descriptor), "rb") as file:
        file.seek(0)
        content = file.read()
    end = content.rfind(b"\n") + 1
    if end < len(content):
        os.ftruncate(descriptor, end)
    return content[:end].splitlines()


def _entries(lines: list[bytes]) -> Iterator[JournalEntry]:
    for line in lines:
        body: dict[str, Any] = json.loads(line)
        yield JournalEntry(
            case_id=body["case"],
            space_id=body["space"],
            person=body.get("person", ""),
            ordinals=decode(base64.b64decode(body["ordinals"])),
            erased_at=body["erased_at"],
            sha256=hashlib.sha256(line).hexdigest(),
        )
