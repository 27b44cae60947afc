"""One line that says how far a long computation is, for notebooks and terminals."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from unlearning.core.pace import MINUTE, Pace

if TYPE_CHECKING:
    from collections.abc import Callable

BACK = "\r"


def _to_stdout(text: str) -> None:
    """Write to what is the standard output now: a notebook puts its own in place."""
    sys.stdout.write(text)
    sys.stdout.flush()


@dataclass
class ProgressLine:
    """Shows each phase on a line that is written over: done, elapsed, time left.

    It is called as ``Session.progress`` is: with a phase, the steps done and the steps in all. A
    phase that was over in less than ``brief`` seconds leaves nothing behind.

    Attributes:
        write: where text goes.
        clock: seconds, of any zero.
        every: the line is renewed at most once in so many seconds, and at the end of a phase.
        brief: how long a phase must last for its line to stay.
    """

    write: Callable[[str], None] = _to_stdout
    clock: Callable[[], float] = time.monotonic
    every: float = 0.2
    brief: float = 1.0
    _phase: str = field(default="", init=False)
    _began: float = field(default=0.0, init=False)
    _renewed: float = field(default=0.0, init=False)
    _width: int = field(default=0, init=False)
    _pace: Pace = field(init=False)

    def __call__(self, phase: str, done: int, total: int) -> None:
        """Hear that so many of so many steps of a phase are done."""
        now = self.clock()
        if phase != self._phase:
            self._begin(phase, now)
        left = self._pace.left(done, total)
        if done >= total:
            self._end(self._said(done, total, now), now)
        elif now - self._renewed >= self.every:
            self._show(", ".join(filter(None, [self._said(done, total, now), left])))
            self._renewed = now

    def _begin(self, phase: str, now: float) -> None:
        self._clear()  # one that was left before its end
        self._phase, self._began, self._renewed = phase, now, now
        self._pace = Pace(self.clock)

    def _end(self, said: str, now: float) -> None:
        self._clear()
        if now - self._began >= self.brief:
            self.write(f"{said}\n")
        self._phase = ""

    def _said(self, done: int, total: int, now: float) -> str:
        share = 100 * done // total if total else 100
        return f"{self._phase}: {done} of {total} ({share} %), {elapsed(now - self._began)} so far"

    def _show(self, text: str) -> None:
        self.write(f"{BACK}{text.ljust(self._width)}")
        self._width = len(text)

    def _clear(self) -> None:
        if self._width:
            self.write(f"{BACK}{' ' * self._width}{BACK}")
        self._width = 0


def elapsed(seconds: float) -> str:
    """Return a duration as a clock tells it: 7 s, 2 min 05 s."""
    minutes, rest = divmod(int(seconds), MINUTE)
    return f"{minutes} min {rest:02} s" if minutes else f"{rest} s"
