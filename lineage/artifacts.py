"""Stored bytes: weights and reports by their SHA-256, record contents by space and ordinal.

The store is any fsspec location (``EXPUNGE_STORE``). Paths in the database ("uri") are relative
to it. A file appears whole or not at all (``stores``).

* ``objects/ab/cd...`` content-addressed, for what the platform makes;
* ``records/<space>/<ordinal // 1000>/<ordinal>`` never content-addressed: two people may own
  equal bytes, and erasing one must not take the other's;
* ``staging/<random>`` contents on their way to an ordinal.

An object store with versioning keeps what was deleted: it must be off for this location, or
suspended and the earlier versions deleted.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lineage.core.content_digest import content_digest
from lineage.core.worded import worded
from lineage.stores import (
    OBJECTS,
    RECORDS,
    STAGING,
    Store,
    StoreFull,
    StoreNotReachable,
    StoreNotWritable,
    storing,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "OBJECTS",
    "RECORDS",
    "STAGING",
    "ArtefactAltered",
    "ArtefactMissing",
    "ArtefactRemains",
    "StoreFull",
    "StoreNotReachable",
    "StoreNotWritable",
    "StoredFile",
    "content_of",
    "destroy",
    "exists",
    "listing",
    "place",
    "put",
    "put_back",
    "read",
    "record_uri",
    "stage",
    "write_record",
]

_PER_FOLDER = 1_000
_DELETED = "The stored file {} was deleted, but its bucket"
_DO = (
    "Suspend versioning, which cannot be turned off once it was on, and delete the versions of "
    "deleted files in the bucket. Then retry."
)


class ArtefactMissing(LookupError):
    """A file that should be stored is not there."""


class ArtefactAltered(ValueError):
    """A stored file does not hold the bytes that were written."""


class ArtefactRemains(RuntimeError):
    """A file that was destroyed is still there."""


@dataclass(frozen=True, kw_only=True)
class StoredFile:
    """Where a file lies, relative to the store, and what it holds. ``size`` is in bytes."""

    uri: str
    sha256: str
    size: int


def _write(uri: str, data: bytes) -> StoredFile:
    with storing(uri):
        Store().write(uri, data)
    return StoredFile(uri=uri, sha256=content_digest(data), size=len(data))


def put(data: bytes) -> StoredFile:
    """Store bytes under their SHA-256; equal bytes are stored once, a damaged copy is replaced.

    Raises:
        StoreFull, StoreNotWritable: nothing was kept.
        StoreNotReachable: a store on another machine did not answer; it may have kept the bytes,
            which are then there whole, and the sweep of the store deletes what no row speaks of.
    """
    sha256 = content_digest(data)
    return _write(f"{OBJECTS}/{sha256[:2]}/{sha256[2:]}", data)


def exists(uri: str) -> bool:
    """Say whether a file is there, asking the store itself."""
    return Store().exists(uri)


def read(uri: str, sha256: str) -> bytes:
    """Return a stored file after checking it against the SHA-256 that was recorded.

    Raises:
        ArtefactMissing: there is no such file.
        ArtefactAltered: it holds other bytes.
    """
    try:
        data = Store().read(uri)
    except FileNotFoundError as error:
        raise ArtefactMissing(worded("The stored file %(uri)s is missing.", uri=uri)) from error
    if (found := content_digest(data)) != sha256:
        raise ArtefactAltered(
            worded(
                "The stored file %(uri)s was altered: its SHA-256 is %(found)s, recorded was "
                "%(sha256)s.",
                uri=uri,
                found=found,
                sha256=sha256,
            )
        )
    return data


def content_of(uri: str) -> bytes:
    """Return a stored file as it lies there, for a backup. Raises ArtefactMissing."""
    try:
        return Store().read(uri)
    except FileNotFoundError as error:
        raise ArtefactMissing(worded("The stored file %(uri)s is missing.", uri=uri)) from error


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
        ArtefactRemains: the store did not delete it, keeps versions of what is deleted, or has
            one of this file from a time when it did.
        StoreNotReachable: a store on another machine did not answer.
    """
    store = Store()
    try:
        store.remove(uri)
    except StoreNotReachable:
        raise
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise ArtefactRemains(f"The stored file {uri} was not deleted: {reason}.") from error
    if store.exists(uri):
        raise ArtefactRemains(f"The stored file {uri} was deleted but is still there.")
    if store.keeps_versions():
        raise ArtefactRemains(f"{_DELETED.format(uri)} keeps the versions of deleted files. {_DO}")
    try:
        kept = store.kept_version(uri)
    except PermissionError as error:
        raise ArtefactRemains(
            f"{_DELETED.format(uri)} kept versions once, and the key may not list them. Give it "
            "the right s3:ListBucketVersions, then retry."
        ) from error
    if kept:
        raise ArtefactRemains(f"{_DELETED.format(uri)} still has an earlier version of it. {_DO}")


def listing(folder: str) -> list[tuple[str, float]]:
    """Return (uri, time of the last write in seconds since 1970) of each file below a folder."""
    store = Store()
    top = store.path(folder)
    return [
        (f"{folder}{path.removeprefix(top)}", _written(details))
        for path, details in sorted(store.find(folder).items())
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
    store = Store()
    placed = [
        StoredFile(uri=record_uri(space_id, ordinal), sha256=file.sha256, size=file.size)
        for ordinal, file in enumerate(staged, start=first)
    ]
    with storing(f"{RECORDS}/{space_id}"):
        store.move([(one.uri, two.uri) for one, two in zip(staged, placed, strict=True)])
        store.settle(target.uri for target in placed)
    return placed
