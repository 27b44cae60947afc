"""Messages on disk until the platform has them: a crash at any moment loses none of them.

The spool is a folder with one outbox for each run and rank. A message is a folder in it,
``000001-begin``, written aside, synced and then renamed, so that it is there whole or not at all.
It holds ``message.json`` and the files that go with it. No key of the platform is ever in it;
ordinals and weights are, so only its owner may read it.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import time
import uuid
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from expunge.disk import sync_folder, write_synced
from expunge.wire import dumps

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

_HEADER, _REFUSED, _ASIDE = "message.json", "refused", "."
_OLD_SECONDS = 86_400


@dataclass(frozen=True, kw_only=True)
class Message:
    """One thing to tell: ``kind`` is the last part of its address."""

    kind: str
    run: str
    body: Mapping[str, Any]
    files: Mapping[str, bytes] = field(default_factory=dict, repr=False)


class Outbox:
    """What one process of one training has still to tell, in order."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def add(self, message: Message) -> None:
        """Keep a message; when this returns it survives a power cut."""
        self._make()
        aside = self.folder / f"{_ASIDE}{uuid.uuid4().hex}"
        aside.mkdir(mode=0o700, parents=True)  # another process may have found the outbox empty
        header = {"kind": message.kind, "run": message.run, "body": message.body}
        write_synced(aside / _HEADER, dumps(header))
        for name, data in message.files.items():
            write_synced(aside / name, data)
        sync_folder(aside)
        last = max((int(path.name[:6]) for path in self._all()), default=0)
        aside.rename(self.folder / f"{last + 1:06}-{message.kind}")
        sync_folder(self.folder)
        sync_folder(self.folder.parent)

    def pending(self) -> list[Path]:
        """Return where the messages lie, the first first."""
        return self._all()

    def read(self, path: Path) -> Message:
        """Return a message of ``pending``."""
        header = json.loads((path / _HEADER).read_bytes())
        files = {
            file.name: file.read_bytes() for file in sorted(path.iterdir()) if file.name != _HEADER
        }
        return Message(files=files, **header)

    def done(self, path: Path) -> None:
        """Forget a message that the platform has."""
        aside = path.with_name(f"{_ASIDE}{uuid.uuid4().hex}")
        path.rename(aside)
        sync_folder(self.folder)
        shutil.rmtree(aside)

    def set_aside(self, path: Path, reason: str) -> None:
        """Keep a message that the platform will never take, with its reason, out of the way."""
        write_synced(path / "reason.txt", reason.encode())
        refused = self.folder.parent / _REFUSED
        refused.mkdir(mode=0o700, exist_ok=True)
        path.rename(refused / f"{self.folder.name}-{path.name}")
        sync_folder(refused)
        sync_folder(self.folder)

    def close(self) -> None:
        """Remove the folder if nothing is left in it but what a crash left half written."""
        if self.pending() or not self.folder.exists():
            return
        for left in self.folder.iterdir():
            # A young one may be on its way: the training that owns this outbox still goes on.
            if left.stat().st_mtime < time.time() - _OLD_SECONDS:
                shutil.rmtree(left, ignore_errors=True)
        with suppress(OSError):
            self.folder.rmdir()

    def _make(self) -> None:
        for folder in (self.folder.parent, self.folder):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Let one process at a time send from here."""
        self._make()
        descriptor = os.open(self.folder, os.O_RDONLY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def _all(self) -> list[Path]:
        if not self.folder.exists():
            return []
        return sorted(path for path in self.folder.iterdir() if path.name[:6].isdigit())


def outbox(spool: Path, run: str, rank: int) -> Outbox:
    """Return the outbox of a run's rank."""
    return Outbox(spool / f"{run}-{rank}")


def outboxes(spool: Path) -> list[Outbox]:
    """Return every outbox with something in it, the one that waits longest first."""
    found = [path for path in spool.iterdir() if path.is_dir()] if spool.exists() else []
    boxes = [Outbox(path) for path in found if path.name != _REFUSED]
    full = [(since, box) for box in boxes if (since := _since(box)) is not None]
    return [box for _, box in sorted(full, key=lambda pair: pair[0])]


def _since(box: Outbox) -> float | None:
    """Return since when the first message waits; None if there is none, or just no longer."""
    with suppress(FileNotFoundError):
        return next((path.stat().st_mtime for path in box.pending()), None)
    return None
