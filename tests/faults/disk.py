"""Home and store of an installation on small disks of their own, which fill and refuse."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SIZE = "400m"
_FILLER = ".filler"
_BLOCK = 1 << 20


def mountable(folder: Path) -> bool:
    """Whether this process may mount a disk."""
    if os.geteuid() != 0 or shutil.which("mount") is None:
        return False
    trial = folder / "trial"
    trial.mkdir(parents=True)
    mounted = _mount("-t", "tmpfs", "tmpfs", str(trial))
    if mounted:
        _unmount(trial)
    trial.rmdir()
    return mounted


@dataclass
class Disks:
    """The mounted folders: the home, and the store in it."""

    home: Path
    store: Path

    def fill(self) -> None:
        """Leave no byte of room anywhere."""
        for folder in (self.home, self.store):
            with contextlib.suppress(OSError), (folder / _FILLER).open("wb", buffering=0) as file:
                while file.write(b"\0" * _BLOCK) > 0:
                    pass

    def empty(self) -> None:
        """Give the room back."""
        for folder in (self.home, self.store):
            (folder / _FILLER).unlink(missing_ok=True)

    def refuse(self) -> bool:
        """Let the store take nothing more and delete nothing; False while somebody is writing."""
        return _mount("-o", "remount,ro", str(self.store))

    def accept(self) -> None:
        """Let it take and delete again."""
        assert _mount("-o", f"remount,rw,size={SIZE}", str(self.store))


@contextlib.contextmanager
def disks(home: Path) -> Iterator[Disks]:
    """Mount two empty disks at ``home`` and its store; what is on them is gone at the end."""
    home.mkdir(parents=True)
    store = home / "store"
    assert _mount("-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(home))
    store.mkdir()
    assert _mount("-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(store))
    try:
        yield Disks(home, store)
    finally:
        _unmount(store)
        _unmount(home)


def _mount(*words: str) -> bool:
    return subprocess.run(["mount", *words], capture_output=True, check=False).returncode == 0


def _unmount(folder: Path) -> None:
    subprocess.run(["umount", "-l", str(folder)], capture_output=True, check=False)
