"""Whose turn it is in a sweep that has not the time to look at every case."""

from __future__ import annotations

import logging
import time
from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from uuid import UUID

logger = logging.getLogger("expunge.workflow")

SECONDS = 2.0
FEWEST = 20  # cases that are looked at in any pass, however slow the machine


@dataclass(kw_only=True)
class Turn:
    """Goes round: a pass begins behind the case at which the one before it stopped.

    Args:
        after: that case; None begins with the first.
        keep: called with each case before it is yielded. Whoever keeps that where it survives the
            process goes on behind a case that ends the process.
    """

    after: UUID | None
    keep: Callable[[UUID], None]
    left: int = 0  # cases that the last pass had no time for

    def of(
        self, cases: Iterable[UUID], *, clock: Callable[[], float] = time.monotonic
    ) -> Iterator[UUID]:
        """Yield cases for some seconds; the others come in the next pass."""
        ends, round_, self.left = clock() + SECONDS, sorted(cases), 0
        first = bisect_right(round_, self.after) if self.after else 0
        round_ = round_[first:] + round_[:first]
        for place, case in enumerate(round_):
            if place >= FEWEST and clock() > ends:
                self.left = len(round_) - place
                logger.warning("the sweep leaves %s of %s cases", self.left, len(round_))
                return
            self.after = case
            self.keep(case)
            yield case
