"""So much and no more in one pass, so that a server that hangs holds up nothing else."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

T = TypeVar("T")
logger = logging.getLogger("expunge.workflow")

SECONDS = 5.0


def within_seconds(
    things: Iterable[T], what: str, *, clock: Callable[[], float] = time.monotonic
) -> Iterator[T]:
    """Yield things until the seconds of a pass are over; the rest waits for the next pass.

    The first always has its turn. One that takes longer than the pass is the last of it.
    """
    ends = clock() + SECONDS
    for place, one in enumerate(things):
        if place and clock() > ends:
            logger.warning("%s: %s tried, the others wait for the next pass", what, place)
            return
        yield one
