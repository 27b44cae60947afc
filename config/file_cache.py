"""The cache: files, of which those that lived their time go before any other.

Django's own throws out every third file at random once there are too many. Counters of calls and
of forms live here, and one that is thrown out gives its key or address all of its calls again.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from django.core.cache.backends.filebased import FileBasedCache


class FileCache(FileBasedCache):
    """Files that are culled by their age."""

    def _cull(self) -> None:
        """Make room: first of what has expired, and only then, if that was too little, of all."""
        files = self._list_cache_files()  # type: ignore[attr-defined]  # not in the stubs
        if len(files) < self._max_entries:
            return
        for name in files:
            with suppress(FileNotFoundError), Path(name).open("rb") as file:
                self._is_expired(file)  # type: ignore[attr-defined]
        super()._cull()  # type: ignore[misc]
