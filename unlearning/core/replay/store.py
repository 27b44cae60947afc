"""Where the log and the states of a training are kept: bytes under keys, and nothing more."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Protocol

from expunge.disk import sync_folder, write_whole

if TYPE_CHECKING:
    from pathlib import Path

KEY = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*(/[A-Za-z0-9_-][A-Za-z0-9._-]*)*")


class NotStored(KeyError):
    """Nothing is stored under this key."""

    def __str__(self) -> str:
        return f"Nothing is stored under the key {self.args[0]!r}."


class BadKey(ValueError):
    """A key is not a path of plain names."""


class Store(Protocol):
    """Keeps bytes under keys; what ``put`` returned from survives a crash, and is never torn."""

    def put(self, key: str, content: bytes, /) -> None:
        """Store, or store anew."""

    def get(self, key: str, /) -> bytes:
        """Return what is stored.

        Raises:
            NotStored: nothing is.
        """

    def delete(self, key: str, /) -> None:
        """Remove what is stored; it is no error if nothing is."""

    def list(self, prefix: str = "", /) -> list[str]:
        """Return the keys that begin like this, sorted."""


class MemoryStore:
    """Keeps everything in this process."""

    def __init__(self) -> None:
        self._kept: dict[str, bytes] = {}

    def put(self, key: str, content: bytes, /) -> None:
        """Store, or store anew."""
        _check(key)
        self._kept[key] = bytes(content)

    def get(self, key: str, /) -> bytes:
        """Return what is stored.

        Raises:
            NotStored: nothing is.
        """
        if key not in self._kept:
            raise NotStored(key)
        return self._kept[key]

    def delete(self, key: str, /) -> None:
        """Remove what is stored; it is no error if nothing is."""
        self._kept.pop(key, None)

    def list(self, prefix: str = "", /) -> list[str]:
        """Return the keys that begin like this, sorted."""
        return sorted(key for key in self._kept if key.startswith(prefix))


class DirectoryStore:
    """Keeps one file per key under a folder; written aside first and then put in its place."""

    def __init__(self, root: Path) -> None:
        """Keep under ``root``, which is made when the first file is."""
        self._root = root

    def put(self, key: str, content: bytes, /) -> None:
        """Store, or store anew."""
        path = self._path(key)
        write_whole(path, content)
        sync_folder(path.parent)

    def get(self, key: str, /) -> bytes:
        """Return what is stored.

        Raises:
            NotStored: nothing is.
        """
        try:
            return self._path(key).read_bytes()
        except FileNotFoundError as missing:
            raise NotStored(key) from missing

    def delete(self, key: str, /) -> None:
        """Remove what is stored; it is no error if nothing is."""
        self._path(key).unlink(missing_ok=True)

    def list(self, prefix: str = "", /) -> list[str]:
        """Return the keys that begin like this, sorted."""
        folder = prefix.rpartition("/")[0]
        within = self._path(folder) if folder else self._root
        files = (path for path in within.rglob("[!.]*") if path.is_file())
        keys = (path.relative_to(self._root).as_posix() for path in files)
        return sorted(key for key in keys if key.startswith(prefix))

    def _path(self, key: str) -> Path:
        _check(key)
        return self._root / key


def _check(key: str) -> None:
    if not KEY.fullmatch(key):
        raise BadKey(
            f"The key {key!r} is not allowed: it must be names of letters, digits, '_', '-' and "
            f"'.', none beginning with '.', joined by '/'."
        )
