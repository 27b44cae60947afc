"""How much longer something takes, judged by how long it has taken so far."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

MINUTE, HOUR = 60, 3600
FEW = 90  # of a unit, above which the next one is used


@dataclass
class Pace:
    """Watches something being done piece by piece; what was done before does not count."""

    clock: Callable[[], float]
    _began: tuple[float, int] | None = field(default=None, init=False)

    def left(self, done: int, total: int) -> str:
        """Return how long the rest takes, in words; nothing while nobody knows, or at the end."""
        now = self.clock()
        if self._began is None:
            self._began = (now, done)
        since, before = self._began
        if done <= before or done >= total:
            return ""
        return in_words((now - since) / (done - before) * (total - done))


def in_words(seconds: float) -> str:
    """Return a duration as an estimate is told: rounded up, in one unit."""
    for size, name in ((1, "s"), (MINUTE, "min")):
        if (number := math.ceil(seconds / size)) <= FEW:
            return f"about {number} {name} left"
    return f"about {math.ceil(seconds / HOUR)} h left"
