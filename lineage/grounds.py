"""What the installation itself stands on, which no place of erasure may touch.

Whoever keeps the register of places chooses folders, and whoever asks for erasure gives names.
Together they could otherwise name the folder of the keys, of the store or of the journal.
"""

from __future__ import annotations

import os
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

import fsspec
from django.conf import settings

from lineage.core.places import LocationNotReachable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

LOCAL = "file"
# SQLite keeps what was written last in files beside the database.
BESIDE = ("", "-wal", "-shm", "-journal")


def keep_off(files: Any, paths: Iterable[str]) -> None:  # noqa: ANN401  (an fsspec file system)
    """Refuse paths of a store that the installation stands on.

    Args:
        files: the file system of the paths.
        paths: as the file system writes them. Links of a local one are followed.

    Raises:
        LocationNotReachable: a path is, lies in or holds keys, store, journal, broker, database,
            cache or unsent mail.
    """
    kind = _kind(files)
    ours = [path for other, path in _own() if other == kind]
    found = {PurePosixPath(_whole(kind, path)) for path in paths}
    if any(_meet(one, mine) for one in found for mine in ours):
        raise LocationNotReachable(
            "What was found belongs to this installation: its keys, files, journal or database."
        )


def _own() -> Iterator[tuple[str, PurePosixPath]]:
    local: list[object] = [settings.KEYS, settings.EXPUNGE_JOURNAL, settings.BROKER_FOLDER]
    local += [settings.EMAIL_FILE_PATH]
    local += [one["LOCATION"] for one in settings.CACHES.values() if one.get("LOCATION")]
    for one in settings.DATABASES.values():
        if "sqlite" in one["ENGINE"]:
            local += [f"{one['NAME']}{end}" for end in BESIDE]
    for path in local:
        yield LOCAL, PurePosixPath(_whole(LOCAL, str(path)))
    files, root = fsspec.core.url_to_fs(settings.EXPUNGE_STORE)
    yield _kind(files), PurePosixPath(_whole(_kind(files), root))


def _kind(files: Any) -> str:  # noqa: ANN401  (as above)
    """Return the first name of a file system, which stands for its other names too."""
    names = files.protocol
    return names if isinstance(names, str) else str(names[0])


def _whole(kind: str, path: str) -> str:
    return os.path.realpath(path) if kind == LOCAL else f"/{path.strip('/')}"


def _meet(one: PurePosixPath, other: PurePosixPath) -> bool:
    return one.is_relative_to(other) or other.is_relative_to(one)
