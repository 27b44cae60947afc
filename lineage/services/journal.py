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
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import rfc8785
from django.conf import settings

from lineage.core.bitmaps import decode, encode
from lineage.models import LineagePurge

if TYPE_CHECKING:
    import uuid
    from collections.abc import Iterator
    from datetime import datetime

    from pyroaring import BitMap

    from lineage.models import DataSubject, OrdinalSpace


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
        JournalFull: nothing was appended.
    """
    body: dict[str, str | int] = {
        "case": str(case_id),
        "count": len(ordinals),
        "erased_at": now.isoformat(),
        "ordinals": base64.b64encode(encode(ordinals)).decode("ascii"),
        "space": str(space.public_id) if space else "",
        "person": str(person.pseudonym) if person else "",
    }
    with _locked() as descriptor:
        for entry in _entries(_whole_lines(descriptor)):
            if (entry.case_id, entry.space_id, entry.ordinals) == (
                body["case"],
                body["space"],
                ordinals,
            ):
                return entry.sha256
        return _append(descriptor, rfc8785.dumps({**body}))


def rebuild_journal() -> int:
    """Write a lost journal anew from what this database knows; return the count of lines.

    It cannot name what was erased after the database was backed up.
    """
    known = LineagePurge.objects.select_related("space").order_by("purged_at")
    for purge in known:
        write_journal(
            case_id=purge.case_id,
            space=purge.space,
            ordinals=decode(bytes(purge.bitmap)),
            now=purge.purged_at,
        )
    return len(known)


def read_journal() -> list[JournalEntry]:
    """Return every erasure, oldest first; a line that a crash cut short is left out."""
    with _locked() as descriptor:
        return list(_entries(_whole_lines(descriptor)))


def _append(descriptor: int, line: bytes) -> str:
    size = os.fstat(descriptor).st_size
    if os.write(descriptor, line + b"\n") <= len(line):
        os.ftruncate(descriptor, size)
        raise JournalFull("There is no room for the erasure journal; nothing was appended.")
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
