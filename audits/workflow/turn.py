"""Whose turn it is in a sweep that has not the time to look at every case."""

from __future__ import annotations

import logging
import time
from bisect import bisect_right
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

logger = logging.getLogger("expunge.workflow")

SECONDS = 2.0
FEWEST = 20  # cases that are looked at in any pass, however slow the machine


@dataclass(kw_only=True)
class Turn:
    """Goes round: a pass begins behind the case at which the one before it stopped.

    A new process begins anywhere, so that no case is always too late.
    """

    after: UUID = field(default_factory=uuid4)

    def of(
        self, cases: Iterable[UUID], *, clock: Callable[[], float] = time.monotonic
    ) -> Iterator[UUID]:
        """Yield cases for some seconds; the others come in the next pass."""
        ends, round_ = clock() + SECONDS, sorted(cases)
        first = bisect_right(round_, self.after)
        round_ = round_[first:] + round_[:first]
        for place, case in enumerate(round_):
            if place >= FEWEST and clock() > ends:
                left = len(round_) - place
                logger.warning("the sweep leaves %s of %s cases to the next", left, len(round_))
                return
            yield case
            self.after = case
