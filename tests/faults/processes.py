"""The processes of one installation, found by what their environment names, and ended."""

from __future__ import annotations

import contextlib
import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

WORDS: dict[str, Callable[[list[str]], bool]] = {
    "light": lambda words: "celery" in words and "intake,lineage,report" in words,
    "heavy": lambda words: "celery" in words and "heavy" in words,
    "scheduler": lambda words: "celery" in words and "beat" in words,
    "web": lambda words: "gunicorn" in words,
    "child": lambda words: "run_job" in words,
    "serve": lambda words: "manage.py" in words and "serve" in words,
    "broker": lambda words: any(
        word.endswith(("valkey-server", "redis-server")) for word in words
    ),
}


def of(home: Path) -> Iterator[tuple[int, list[str]]]:
    """Yield number and words of each process of the installation in ``home``."""
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        with contextlib.suppress(OSError):
            environ = (entry / "environ").read_bytes().split(b"\0")
            if f"EXPUNGE_HOME={home}".encode() in environ:
                words = (entry / "cmdline").read_bytes().decode(errors="replace").split("\0")
                yield int(entry.name), [part for word in words for part in word.split(" ")]


def named(home: Path, name: str) -> list[int]:
    """Return the processes of one kind; of parents and children alike, the parents come first."""
    found = [pid for pid, words in of(home) if WORDS[name](words)]
    return sorted(found, key=lambda pid: (parent(pid) in found, pid))


def parent(pid: int) -> int:
    """Return the parent of a process, 0 where it is gone."""
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except (OSError, IndexError):
        return 0


def folder(pid: int) -> Path:
    """Return the folder that a process works in, an empty path where it is gone."""
    try:
        return Path(f"/proc/{pid}/cwd").readlink()
    except OSError:
        return Path()


def alive(pid: int) -> bool:
    """Whether a process runs, and is no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except (OSError, IndexError):
        return False


def end(pids: list[int], signum: signal.Signals = signal.SIGKILL) -> list[int]:
    """Send a signal; return who got it."""
    reached = []
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signum)
            reached.append(pid)
    return reached
