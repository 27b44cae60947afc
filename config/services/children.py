"""A child process that never outlives its parent, with its log in a file.

Linux ends the child through ``PR_SET_PDEATHSIG`` even after ``kill -9`` of the parent. It does so
when the *thread* that started the child ends, so start children from a thread that lives as long
as the process. Elsewhere a killed parent leaves its children behind.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path
    from types import FrameType

_PR_SET_PDEATHSIG = 1
_PAUSE = 0.02  # seconds between two looks at a condition
_TAIL_BYTES = 16_384


@dataclass(frozen=True, kw_only=True)
class Account:
    """The system user a child runs as."""

    name: str
    uid: int
    gid: int


@dataclass(frozen=True, kw_only=True)
class Command:
    """What to execute: the whole environment is given, nothing is inherited."""

    argv: tuple[str, ...]
    env: Mapping[str, str]
    cwd: Path | None = None
    account: Account | None = None


@dataclass(frozen=True, kw_only=True)
class Child:
    """A started process; its own output begins at byte ``log_start`` of ``log``."""

    process: subprocess.Popen[bytes]
    log: Path
    log_start: int

    @property
    def alive(self) -> bool:
        """Whether the process still runs."""
        return self.process.poll() is None

    @property
    def ending(self) -> str:
        """How the process ended, as the rest of a sentence."""
        code = self.process.poll()
        if code is None:
            return "is still running"
        if code < 0:
            return f"was ended by {signal.Signals(-code).name}"
        return f"ended with exit code {code}"

    def last_lines(self, count: int) -> str:
        """Return at most ``count`` last lines of what this process wrote."""
        with self.log.open("rb") as log:
            size = log.seek(0, os.SEEK_END)
            log.seek(max(self.log_start, size - _TAIL_BYTES))
            text = log.read().decode(errors="replace")
        return "\n".join(text.splitlines()[-count:])


def start(command: Command, *, log: Path, orphan_signal: signal.Signals = signal.SIGTERM) -> Child:
    """Start ``command`` in its own session, appending its output to ``log``.

    ``orphan_signal`` is what Linux sends the child when this process dies.
    """
    account = command.account
    with log.open("ab") as output:
        begin = output.tell()
        process = subprocess.Popen(  # noqa: S603  (argv lists of our own, no shell)
            command.argv,
            env=command.env,
            cwd=command.cwd,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            # Ctrl-C at a terminal must reach the parent alone, which stops children in order.
            start_new_session=True,
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
            # A change of user clears the request, so it is made after it, just before exec.
            preexec_fn=_follow(os.getpid(), orphan_signal),  # noqa: PLW1509  (no other way)
        )
    return Child(process=process, log=log, log_start=begin)


def stop(child: Child, *, grace: float, signum: signal.Signals = signal.SIGTERM) -> None:
    """Ask the child to end with ``signum``; after ``grace`` seconds kill it and its group."""
    if child.alive:
        child.process.send_signal(signum)
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.process.wait(grace)
    # The child leads its own group; what it left behind there goes too.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child.process.pid, signal.SIGKILL)
    child.process.wait()


def wait_until(is_true: Callable[[], bool], *, seconds: float, pause: float = _PAUSE) -> bool:
    """Return True as soon as ``is_true()`` is, or False when ``seconds`` have passed."""
    deadline = time.monotonic() + seconds
    while not is_true():
        if time.monotonic() >= deadline:
            return False
        time.sleep(pause)
    return True


@contextlib.contextmanager
def sigterm_closes() -> Iterator[None]:
    """Turn SIGTERM into ``SystemExit``, so that open ``with`` blocks stop what they started.

    Main thread only, as Python allows signal handlers nowhere else.
    """

    def leave(signum: int, _frame: FrameType | None) -> None:
        raise SystemExit(128 + signum)

    before = signal.signal(signal.SIGTERM, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _follow(parent: int, signum: signal.Signals) -> Callable[[], None] | None:
    """Return what a child of ``parent`` runs before exec to receive ``signum`` at its death."""
    if sys.platform != "linux":
        return None
    libc = ctypes.CDLL(None)  # opened before the fork: afterwards no lock is safe to take

    def arrange() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, int(signum))
        if os.getppid() != parent:  # it died between fork and prctl
            os._exit(1)

    return arrange
