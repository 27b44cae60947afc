"""Repeat something and tell its median and its tail."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Value = TypeVar("Value")


def repeated(
    prepare: Callable[[], Any], measured: Callable[[Any], object], repeats: int
) -> dict[str, float]:
    """Return p50 and p99 of ``measured(prepare())`` in milliseconds; preparing is not timed."""
    (found,) = side_by_side(prepare, [measured], repeats)
    return found


def side_by_side(
    prepare: Callable[[], Any], measured: Sequence[Callable[[Any], object]], repeats: int
) -> list[dict[str, float]]:
    """Return p50 and p99 of each, asked the same in turn, so that other load hits all alike."""
    taken: list[list[float]] = [[] for _ in measured]
    for _ in range(repeats):
        given = prepare()
        for function, times in zip(measured, taken, strict=True):
            started = time.perf_counter()
            function(given)
            times.append((time.perf_counter() - started) * 1000)
    return [tail(times) for times in taken]


def tail(taken: list[float]) -> dict[str, float]:
    """Return p50 and p99 of some times."""
    taken = sorted(taken)
    return {
        "p50_ms": round(taken[len(taken) // 2], 4),
        "p99_ms": round(taken[min(len(taken) - 1, len(taken) * 99 // 100)], 4),
    }


@dataclass(frozen=True, kw_only=True)
class Taken:
    """Seconds by the clock, and of this process's processor, which leave out other load."""

    wall: float
    processor: float

    def __add__(self, other: Taken) -> Taken:
        """Return both together."""
        return Taken(wall=self.wall + other.wall, processor=self.processor + other.processor)

    def __sub__(self, other: Taken) -> Taken:
        """Return what is left of this one."""
        return Taken(wall=self.wall - other.wall, processor=self.processor - other.processor)


def timed(function: Callable[[], object]) -> Taken:
    """Return how long something takes, once."""
    return made_in(function)[1]


def made_in(function: Callable[[], Value]) -> tuple[Value, Taken]:
    """Return what something makes, and how long that takes, once."""
    started, used = time.perf_counter(), time.process_time()
    made = function()
    taken = Taken(wall=time.perf_counter() - started, processor=time.process_time() - used)
    return made, taken
