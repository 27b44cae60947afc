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
    """Shows each phase on a line of its own that is written over: done, elapsed, time left.

    It is called as ``Session.progress`` is: with a phase, the steps done and the steps in all.

    Attributes:
        write: where text goes.
        clock: seconds, of any zero.
        every: the line is renewed at most once in so many seconds, and at the end of a phase.
    """

    write: Callable[[str], None] = _to_stdout
    clock: Callable[[], float] = time.monotonic
    every: float = 0.2
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
            self._show(f"{self._said(done, total, now)}\n")
            self._phase, self._width = "", 0
        elif now - self._renewed >= self.every:
            self._show(", ".join(filter(None, [self._said(done, total, now), left])))
            self._renewed = now

    def _begin(self, phase: str, now: float) -> None:
        if self._phase:  # it was left before its end
            self.write("\n")
        self._phase, self._began, self._renewed, self._width = phase, now, now, 0
        self._pace = Pace(self.clock)

    def _said(self, done: int, total: int, now: float) -> str:
        share = 100 * done // total if total else 100
        return f"{self._phase}: {done} of {total} ({share} %), {elapsed(now - self._began)} so far"

    def _show(self, text: str) -> None:
        self.write(BACK + text.ljust(self._width) if text[-1] != "\n" else BACK + self._last(text))
        self._width = len(text)

    def _last(self, text: str) -> str:
        return text[:-1].ljust(self._width) + "\n"


def elapsed(seconds: float) -> str:
    """Return a duration as a clock tells it: 7 s, 2 min 05 s."""
    minutes, rest = divmod(int(seconds), MINUTE)
    return f"{minutes} min {rest:02} s" if minutes else f"{rest} s"
