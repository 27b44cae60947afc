"""Repeat something and tell its median and its tail."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


def repeated(
    prepare: Callable[[], Any], measured: Callable[[Any], object], repeats: int
) -> dict[str, float]:
    """Return p50 and p99 of ``measured(prepare())`` in milliseconds; preparing is not timed."""
    taken = []
    for _ in range(repeats):
        given = prepare()
        started = time.perf_counter()
        measured(given)
        taken.append((time.perf_counter() - started) * 1000)
    taken.sort()
    return {
        "p50_ms": round(taken[len(taken) // 2], 4),
        "p99_ms": round(taken[min(len(taken) - 1, len(taken) * 99 // 100)], 4),
    }
