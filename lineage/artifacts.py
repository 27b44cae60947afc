"""Stored bytes: weights and reports by their SHA-256, record contents by space and ordinal.

The store is any fsspec location (``EXPUNGE_STORE``). Paths in the database ("uri") are relative
to it. On a local disk a file appears whole or not at all: written aside, synced, then renamed.

* ``objects/ab/cd...`` content-addressed, for what the platform makes;
* ``records/<space>/<ordinal // 1000>/<ordinal>`` never content-addressed: two people may own
  equal bytes, and erasing one must not take the other's;
* ``staging/<random>`` contents on their way to an ordinal.

An object store with versioning keeps what was deleted: it must be off for this location.
"""

from __future__ import annotations

import errno
import os
import uuid
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import fsspec
from django.conf import settings
from fsspec.implementations.local import LocalFileSystem

from expunge.disk import sync_folder, write_whole
from lineage.core.content_digest import content_digest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from fsspec import AbstractFileSystem

OBJECTS, RECORDS, STAGING = "objects", "records", "staging"
_PER_FOLDER = 1_000
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class ArtefactMissing(LookupError):
    """A file that should be stored is not there."""


class ArtefactAltered(ValueError):
    """A stored file does not hold the bytes that were written."""


class ArtefactRemains(RuntimeError):
    """A file that was destroyed is still there."""


class StoreFull(OSError):
    """There is no room for a file; nothing of it was kept."""


class StoreNotWritable(OSError):
    """The store refused a file; nothing of it was kept."""


@dataclass(frozen=True, kw_only=True)
class StoredFile:
    """Where a file lies, relative to the store, and what it holds. ``size`` is in bytes."""

    uri: str
    sha256: str
    size: int


@cache
def _opened(location: str, _process: int) -> tuple[AbstractFileSystem, str]:
    """Return the file system of a location and the path in it; asked for at every record.

    Each process opens its own: what talks to a server does not outlive a fork.
    """
    files, root = fsspec.core.url_to_fs(location)
    return files, root.rstrip("/")


class _Store:
    """The file system behind ``EXPUNGE_STORE``, as configured at the time of the call."""

    def __init__(self) -> None:
        self.files, self.root = _opened(settings.EXPUNGE_STORE, os.getpid())
        self.local = isinstance(self.files, LocalFileSystem)

    def path(self, uri: str) -> str:
        parts = PurePosixPath(uri).parts
        if not parts or parts[0] not in {OBJECTS, RECORDS, STAGING} or ".." in parts:
            raise ValueError(
                f"The uri is {uri!r}; allowed are relative paths below "
                f"{OBJECTS}, {RECORDS} and {STAGING}."
            )
        return f"{self.root}/{uri}"

    def exists(self, uri: str) -> bool:
        self.files.invalidate_cache()
        return bool(self.files.exists(self.path(uri)))

    def read(self, uri: str) -> bytes:
        path = self.path(uri)
        if self.local:
            return Path(path).read_bytes()
        found: bytes = self.files.cat_file(path)
        return found

    def write(self, uri: str, data: bytes) -> None:
        path = self.path(uri)
        if self.local:
            write_whole(Path(path), data)
        else:
            self.files.pipe_file(path, data)

    def move(self, source: str, target: str) -> None:
        if self.local:
            Path(self.path(target)).parent.mkdir(parents=True, exist_ok=True)
            Path(self.path(source)).replace(self.path(target))
        else:
            self.files.mv(self.path(source), self.path(target))

    def remove(self, uri: str) -> None:
        with suppress(FileNotFoundError):
            self.files.rm_file(self.path(uri))
            self.settle([uri])

    def settle(self, uris: Iterable[str]) -> None:
        """Make renames and removals survive a power cut."""
        if self.local:
            for folder in {Path(self.path(uri)).parent for uri in uris}:
                sync_folder(folder)


@contextmanager
def _storing(uri: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise StoreFull(f"The store is full: {uri} was not written.") from error
        reason = error.strerror or type(error).__name__
        raise StoreNotWritable(f"The store did not take {uri}: {reason}.") from error


def _write(uri: str, data: bytes) -> StoredFile:
    with _storing(uri):
        _Store().write(uri, data)
    return StoredFile(uri=uri, sha256=content_digest(data), size=len(data))


def put(data: bytes) -> StoredFile:
    """Store bytes under their SHA-256; equal bytes are stored once, a damaged copy is replaced.

    Raises:
        StoreFull, StoreNotWritable: nothing was kept.
    """
    sha256 = content_digest(data)
    return _write(f"{OBJECTS}/{sha256[:2]}/{sha256[2:]}", data)


def exists(uri: str) -> bool:
    """Say whether a file is there, asking the store itself."""
    return _Store().exists(uri)


def read(uri: str, sha256: str) -> bytes:
    """Return a stored file after checking it against the SHA-256 that was recorded.

    Raises:
        ArtefactMissing: there is no such file.
        ArtefactAltered: it holds other bytes.
    """
    try:
        data = _Store().read(uri)
    except FileNotFoundError as error:
        raise ArtefactMissing(f"The stored file {uri} is missing.") from error
    if (found := content_digest(data)) != sha256:
        raise ArtefactAltered(
            f"The stored file {uri} was altered: its SHA-256 is {found}, recorded was {sha256}."
        )
    return data


def content_of(uri: str) -> bytes:
    """Return a stored file as it lies there, for a backup. Raises ArtefactMissing."""
    try:
        return _Store().read(uri)
    except FileNotFoundError as error:
        raise ArtefactMissing(f"The stored file {uri} is missing.") from error


def put_back(uri: str, data: bytes) -> None:
    """Store a file of a backup where it lay.

    Raises:
        ValueError: the uri leads out of the store.
        StoreFull, StoreNotWritable: the file was not written.
    """
    _write(uri, data)


def destroy(uri: str) -> None:
    """Delete a file and read back that it is gone; one that is gone already is no error.

    Raises:
        ArtefactRemains: the store did not delete it.
    """
    store = _Store()
    try:
        store.remove(uri)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise ArtefactRemains(f"The stored file {uri} was not deleted: {reason}.") from error
    if store.exists(uri):
        raise ArtefactRemains(f"The stored file {uri} was deleted but is still there.")


def listing(folder: str) -> list[tuple[str, float]]:
    """Return (uri, time of the last write in seconds since 1970) of each file below a folder."""
    store = _Store()
    top = store.path(folder)
    store.files.invalidate_cache()
    if not store.files.exists(top):
        return []
    found: dict[str, dict[str, Any]] = store.files.find(top, detail=True)
    return [
        (f"{folder}{path.removeprefix(top)}", _written(details))
        for path, details in sorted(found.items())
    ]


def _written(details: dict[str, Any]) -> float:
    when = details.get("mtime") or details.get("LastModified") or details.get("created") or 0
    return float(when.timestamp() if hasattr(when, "timestamp") else when)


def record_uri(space_id: uuid.UUID, ordinal: int) -> str:
    """Return where the content of a record lies."""
    return f"{RECORDS}/{space_id}/{ordinal // _PER_FOLDER}/{ordinal}"


def write_record(space_id: uuid.UUID, ordinal: int, data: bytes) -> StoredFile:
    """Store the content of a record. Raises as ``put``."""
    return _write(record_uri(space_id, ordinal), data)


def stage(data: bytes) -> StoredFile:
    """Store a content whose ordinal is not known yet. Raises as ``put``."""
    return _write(f"{STAGING}/{uuid.uuid4().hex}", data)


def place(staged: Sequence[StoredFile], *, space_id: uuid.UUID, first: int) -> list[StoredFile]:
    """Move staged contents to the ordinals ``first, first + 1, ...``, which is quick.

    Raises:
        StoreFull, StoreNotWritable: the contents moved so far lie at their ordinals.
    """
    store = _Store()
    placed = [
        StoredFile(uri=record_uri(space_id, ordinal), sha256=file.sha256, size=file.size)
        for ordinal, file in enumerate(staged, start=first)
    ]
    with _storing(f"{RECORDS}/{space_id}"):
        for source, target in zip(staged, placed, strict=True):
            store.move(source.uri, target.uri)
        store.settle(target.uri for target in placed)
    return placed
