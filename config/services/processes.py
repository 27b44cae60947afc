"""A small supervisor: named programs started in order, watched, stopped in reverse.

with sigterm_closes(), Supervisor() as supervisor:
    supervisor.start(Program(name="web", command=..., log=..., healthy=...))
    supervisor.watch()
"""

from __future__ import annotations

import signal
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from config.services.children import Child, Command, start, stop, wait_until

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_LAST_LINES = 15


class ProgramFailed(RuntimeError):
    """A supervised program ended by itself, or never became healthy."""


class NameTaken(ValueError):
    """Two programs of one supervisor have the same name."""


@dataclass(frozen=True, kw_only=True)
class Program:
    """One program to keep running.

    ``healthy`` is asked until it says True, for at most ``patience`` seconds; without it a program
    counts as healthy once started. A program that ends by itself is started again,
    but ``restarts`` times within ``window`` seconds at most: one that dies again and again needs a
    person, one that is killed now and then in a year does not. ``grace`` is the time in seconds
    from SIGTERM to SIGKILL.
    """

    name: str
    command: Command
    log: Path
    healthy: Callable[[], bool] | None = None
    patience: float = 30.0
    restarts: int = 0
    window: float = 60.0
    grace: float = 10.0


@dataclass
class _Running:
    program: Program
    child: Child
    restarted: list[float] = field(default_factory=list)  # by the monotonic clock

    def may_restart(self, now: float) -> bool:
        """Whether one more restart is within what the program may have; it is counted."""
        self.restarted = [at for at in self.restarted if now - at < self.program.window]
        if len(self.restarted) >= self.program.restarts:
            return False
        self.restarted.append(now)
        return True


@dataclass(kw_only=True)
class Supervisor:
    """Keeps programs running; leaving its ``with`` block stops them, last started first."""

    say: Callable[[str], None] = field(default=lambda _: None)
    _running: dict[str, _Running] = field(default_factory=dict, init=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self, program: Program) -> Child:
        """Start ``program`` and return when it is healthy.

        Raises:
            NameTaken: a program of this name is running.
            ProgramFailed: it ended, or was not healthy in time.
        """
        if program.name in self._running:
            raise NameTaken(f"A program named {program.name!r} is running already.")
        child = _spawn(program)
        self._running[program.name] = _Running(program, child)
        _wait_healthy(program, child)
        self.say(f"{program.name} is running; its log is {program.log}")
        return child

    def restart(self, name: str) -> Child:
        """Stop the program ``name`` and start it again in its place of the order."""
        running = self._running[name]
        stop(running.child, grace=running.program.grace)
        running.child = _spawn(running.program)
        _wait_healthy(running.program, running.child)
        return running.child

    def check(self) -> None:
        """Start again whatever ended by itself and may be; this is one round of ``watch``.

        Nobody waits until it is healthy: what it needs may be away for a while, and the others
        are to be watched meanwhile.

        Raises:
            ProgramFailed: a program ended and has no restart left.
        """
        for running in self._running.values():
            if running.child.alive:
                continue
            if not running.may_restart(time.monotonic()):
                raise ProgramFailed(_obituary(running.program, running.child))
            self.say(f"{running.program.name} {running.child.ending} and is started again")
            stop(running.child, grace=0)  # what it left in its group
            running.child = _spawn(running.program)

    def watch(self, *, seconds: float = float("inf")) -> None:
        """Keep the programs running for ``seconds``, by default until interrupted.

        Raises:
            ProgramFailed: as ``check``.
        """

        def look() -> bool:
            self.check()
            return False

        wait_until(look, seconds=seconds, pause=0.5)

    def stop(self) -> None:
        """Stop every program, last started first."""
        while self._running:
            _, running = self._running.popitem()
            stop(running.child, grace=running.program.grace)
            self.say(f"{running.program.name} has stopped")


def _spawn(program: Program) -> Child:
    program.log.parent.mkdir(parents=True, exist_ok=True)
    # SIGKILL: a worker asked politely would first finish its job, beside the next supervisor's
    # worker. Nothing is lost, as the job row's lease lapses and the job is taken up again.
    return start(program.command, log=program.log, orphan_signal=signal.SIGKILL)


def _wait_healthy(program: Program, child: Child) -> None:
    healthy = program.healthy or (lambda: True)
    in_time = wait_until(lambda: not child.alive or healthy(), seconds=program.patience)
    if not child.alive:
        raise ProgramFailed(_obituary(program, child))
    if not in_time:
        raise ProgramFailed(
            f"{program.name} was not healthy after {program.patience:g} seconds."
            + _last_words(child)
        )


def _obituary(program: Program, child: Child) -> str:
    return f"{program.name} {child.ending}." + _last_words(child)


def _last_words(child: Child) -> str:
    lines = child.last_lines(_LAST_LINES)
    return f" The last lines of {child.log}:\n{lines}" if lines else f" {child.log} is empty."
