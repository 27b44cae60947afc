"""The file system that ``EXPUNGE_STORE`` names: a folder, or a store on another machine.

On a local disk a file appears whole or not at all: written aside, synced, then renamed. An object
store does that by itself. What its library raises when the server is away is of no common kind,
and is said here in one way.
"""

from __future__ import annotations

import errno
import os
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import cache, lru_cache
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import fsspec
from django.conf import settings
from fsspec.implementations.local import LocalFileSystem

from expunge.disk import sync_folder, write_whole

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from fsspec import AbstractFileSystem

OBJECTS, RECORDS, STAGING = "objects", "records", "staging"
_AT_ONCE = 16  # files on their way in a store on another machine
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
# What the library of a store makes of a server's 5xx, SlowDown and the like, after some tries.
_BUSY = {errno.EBUSY, errno.EIO, errno.ETIMEDOUT, getattr(errno, "EREMOTEIO", errno.EIO)}


class StoreFull(OSError):
    """There is no room for a file; nothing of it was kept."""


class StoreNotWritable(OSError):
    """The store refused a file; nothing of it was kept."""


class StoreNotReachable(StoreNotWritable):
    """A store on another machine did not answer, after its library had tried several times."""


@cache
def _opened(location: str, _process: int) -> tuple[AbstractFileSystem, str]:
    """Return the file system of a location and the path in it; asked for at every record.

    Each process opens its own: what talks to a server does not outlive a fork.
    """
    files, root = fsspec.core.url_to_fs(location)
    return files, root.rstrip("/")


@lru_cache(maxsize=2)
def _versioning(location: str, process: int, _minute: int) -> str:
    """Ask the bucket, once a minute: a purge deletes thousands of files.

    Return ``Enabled``, ``Suspended``, or nothing where it never kept versions or may not be asked.
    """
    files, root = _opened(location, process)
    if not hasattr(files, "call_s3"):
        return ""
    try:
        said = files.call_s3("get_bucket_versioning", Bucket=root.partition("/")[0])
    except PermissionError:
        return ""
    except OSError as error:
        if error.errno == errno.ENOSYS:  # a server that knows no versions
            return ""
        raise
    return str(said.get("Status", ""))


@lru_cache(maxsize=2)
def _find_bucket(location: str, process: int, _minute: int) -> None:
    """Ask for the bucket itself: files are not found in a bucket that does not exist, either.

    Raises:
        StoreNotReachable: there is none. That is asked anew each time; that there is one, once a
            minute.
    """
    files, root = _opened(location, process)
    name = root.partition("/")[0]
    if not hasattr(files, "call_s3"):
        return
    try:
        files.call_s3("head_bucket", Bucket=name)
    except FileNotFoundError as error:
        raise StoreNotReachable(
            f"There is no bucket {name!r}, which EXPUNGE_STORE names, so that nothing can be said "
            "of its files. Correct the name or the address of the store, or make the bucket."
        ) from error


def _asked() -> tuple[str, int, int]:
    return settings.EXPUNGE_STORE, os.getpid(), int(time.monotonic() / 60)


class Store:
    """The file system behind ``EXPUNGE_STORE``, as configured at the time of the call."""

    def __init__(self) -> None:
        self.files, self.root = _opened(settings.EXPUNGE_STORE, os.getpid())
        self.local = isinstance(self.files, LocalFileSystem)

    def path(self, uri: str) -> str:
        """Return where a uri lies. Raises ValueError for one that leads out of the store."""
        parts = PurePosixPath(uri).parts
        if not parts or parts[0] not in {OBJECTS, RECORDS, STAGING} or ".." in parts:
            raise ValueError(
                f"The uri is {uri!r}; allowed are relative paths below "
                f"{OBJECTS}, {RECORDS} and {STAGING}."
            )
        return f"{self.root}/{uri}"

    def exists(self, uri: str) -> bool:
        """Ask the store itself whether a file is there. Raises StoreNotReachable."""
        path = self.path(uri)
        with self._answering(uri):
            self.files.invalidate_cache()
            return bool(self.files.exists(path)) or self._lacks_file()

    def read(self, uri: str) -> bytes:
        """Return a file. Raises FileNotFoundError or StoreNotReachable."""
        path = self.path(uri)
        if self.local:
            return Path(path).read_bytes()
        with self._answering(uri):
            found: bytes = self.files.cat_file(path)
        return found

    def write(self, uri: str, data: bytes) -> None:
        """Write a file, whole or not at all. Raises OSError or StoreNotReachable."""
        path = self.path(uri)
        if self.local:
            write_whole(Path(path), data)
            return
        with self._answering(uri):
            self.files.pipe_file(path, data)

    def move(self, ways: Sequence[tuple[str, str]]) -> None:
        """Move files from one place to another each; a transaction waits for it."""
        if self.local:
            for source, target in ways:
                Path(self.path(target)).parent.mkdir(parents=True, exist_ok=True)
                Path(self.path(source)).replace(self.path(target))
            return
        with ThreadPoolExecutor(_AT_ONCE) as hands:
            for _ in hands.map(self._carry, ways):
                pass

    def _carry(self, way: tuple[str, str]) -> None:
        source, target = way
        with self._answering(target):
            self.files.cp_file(self.path(source), self.path(target))
            self.files.rm_file(self.path(source))

    def remove(self, uri: str) -> None:
        """Delete a file; one that is gone is no error. Raises OSError or StoreNotReachable."""
        path = self.path(uri)
        with suppress(FileNotFoundError), self._answering(uri):
            self.files.rm_file(path)
            self.settle([uri])

    def keeps_versions(self) -> bool:
        """Whether the store is a bucket that keeps what is deleted, where it may be asked."""
        with self._answering(self.root):
            return _versioning(*_asked()) not in {"", "Suspended"}

    def kept_version(self, uri: str) -> bool:
        """Whether a bucket that kept versions once still has one of a file that was deleted.

        Raises:
            OSError: the store does not say, or its key may not list versions.
            StoreNotReachable: it did not answer.
        """
        bucket, _, key = self.path(uri).partition("/")
        after: dict[str, str] = {}
        with self._answering(uri):
            if not _versioning(*_asked()):
                return False
            while True:
                page = self.files.call_s3(
                    "list_object_versions", Bucket=bucket, Prefix=key, **after
                )
                if any(one["Key"] == key for one in page.get("Versions", [])):
                    return True
                if not page.get("IsTruncated") or page["NextKeyMarker"] != key:
                    return False
                after = {"KeyMarker": key, "VersionIdMarker": page["NextVersionIdMarker"]}

    def find(self, folder: str) -> dict[str, dict[str, Any]]:
        """Return what the store says of each file below a folder, by its path."""
        top = self.path(folder)
        with self._answering(folder):
            self.files.invalidate_cache()
            if not self.files.exists(top):
                self._lacks_file()
                return {}
            found: dict[str, dict[str, Any]] = self.files.find(top, detail=True)
        return found

    def settle(self, uris: Iterable[str]) -> None:
        """Make renames and removals survive a power cut."""
        if self.local:
            for folder in {Path(self.path(uri)).parent for uri in uris}:
                sync_folder(folder)

    def _lacks_file(self) -> bool:
        """Return False, or raise StoreNotReachable where there is no bucket to have files."""
        if not self.local:
            _find_bucket(*_asked())
        return False

    @contextmanager
    def _answering(self, uri: str) -> Iterator[None]:
        """Say in one way what each library says in its own: that its server did not answer.

        Raises:
            StoreNotReachable: it did not; libraries of stores raise errors of no common kind.
        """
        try:
            yield
        except FileNotFoundError:
            self._lacks_file()
            raise
        except (ConnectionError, TimeoutError) as error:
            raise _unreachable(uri, error) from error
        except (OSError, ValueError) as error:
            if not self.local and getattr(error, "errno", None) in _BUSY:
                raise _unreachable(uri, error) from error
            raise
        except Exception as error:
            raise _unreachable(uri, error) from error


def _unreachable(uri: str, error: Exception) -> StoreNotReachable:
    number = getattr(error, "errno", None)
    name = errno.errorcode.get(number, "OSError") if number else type(error).__name__
    return StoreNotReachable(f"The store did not answer when asked for {uri}: {name}.")


@contextmanager
def storing(uri: str) -> Iterator[None]:
    """Say why a file was not written: StoreFull, StoreNotWritable or StoreNotReachable."""
    try:
        yield
    except StoreNotReachable:
        raise
    except OSError as error:
        if error.errno in _FULL:
            raise StoreFull(f"The store is full: {uri} was not written.") from error
        reason = error.strerror or type(error).__name__
        raise StoreNotWritable(f"The store did not take {uri}: {reason}.") from error
