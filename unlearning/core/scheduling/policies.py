"""In which order shards are rebuilt, and when one may wait; objects, so that they compare."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from unlearning.core.costs.checks import between, whole

if TYPE_CHECKING:
    from unlearning.core.scheduling.backlog import Backlog, Waiting


DUE = "its earliest due date is near"


class Order(Enum):
    """Which shard comes first."""

    OLDEST = "the one whose oldest request is the oldest"
    MOST = "the one for which most requests wait"


@dataclass(frozen=True, kw_only=True)
class StartRules:
    """When a shard need not wait for more requests; any one is enough.

    Attributes:
        min_age: its oldest request is so many days old.
        margin: its earliest due date is less than two jobs and so many days away.
        min_backlog: so many requests wait for it while a worker is idle.
        max_rolled_back: more than this share of the shards of its training is rolled back.
    """

    min_age: float = 7.0
    margin: float = 2.0
    min_backlog: int = 20
    max_rolled_back: float = 0.3

    def __post_init__(self) -> None:
        """Refuse rules that nothing meets.

        Raises:
            NotPossible: the sentence names the field, its value and what is allowed.
        """
        between("min_age", self.min_age)
        between("margin", self.margin)
        whole("min_backlog", self.min_backlog)
        between("max_rolled_back", self.max_rolled_back, 0, 1)

    def reason(self, one: Waiting, backlog: Backlog, now: float, job_days: float) -> str:
        """Return why a shard starts now, asked while a worker is idle; empty if it waits."""
        if now >= one.oldest[0] + self.min_age:
            return f"its oldest request has waited for {self.min_age:g} days"
        if self.is_due(one, now, job_days):
            return DUE
        if len(one) >= self.min_backlog:
            return f"{len(one)} requests wait for it and a worker is idle"
        if backlog.rolled_back(one.run) > self.max_rolled_back:
            return f"more than {self.max_rolled_back:.0%} of the shards are rolled back"
        return ""

    def is_due(self, one: Waiting, now: float, job_days: float) -> bool:
        """Return whether the latest moment has come at which a shard may start."""
        return now >= one.due - self._lead(job_days)

    def wakes(self, one: Waiting, job_days: float) -> float:
        """Return when a shard will start though nobody else asks."""
        return min(one.oldest[0] + self.min_age, one.due - self._lead(job_days))

    def _lead(self, job_days: float) -> float:
        return 2 * job_days + self.margin


@dataclass(frozen=True, kw_only=True)
class Policy:
    """An order, whether requests share a rebuild, and when it starts.

    Attributes:
        name: for tables.
        order: which shard comes first among those that may start.
        together: a job serves all that wait for its shard, and not the oldest request alone.
        start: rules for waiting on purpose; None starts whenever a worker is free.
        retrain_above: train once anew, with a fresh plan, when what waits makes more than this
            part of a full training void; None never does.
    """

    name: str
    order: Order = Order.OLDEST
    together: bool = True
    start: StartRules | None = None
    retrain_above: float | None = None

    def __post_init__(self) -> None:
        """Refuse a threshold that is no part of a training.

        Raises:
            NotPossible: the sentence names the field, its value and what is allowed.
        """
        if self.retrain_above is not None:
            between("retrain_above", self.retrain_above, 0, 1)

    def key(self, one: Waiting) -> tuple[float, ...]:
        """Return what the first shard has the least of."""
        return (-len(one), *one.oldest) if self.order is Order.MOST else one.oldest


ONE_BY_ONE = Policy(name="one by one, first come first served", together=False)
MOST_PENDING = Policy(name="most pending first", order=Order.MOST)
OLDEST_FIRST = Policy(name="oldest first, coalesced")
LAZY = Policy(name="oldest first, coalesced, lazy start", start=StartRules())
RENEWING = Policy(
    name="oldest first, lazy start, full retrain", start=StartRules(), retrain_above=0.8
)
POLICIES = (ONE_BY_ONE, MOST_PENDING, OLDEST_FIRST, LAZY, RENEWING)
