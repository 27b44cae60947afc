"""How much can be rebuilt in a day, and how old a request can become.

Shards are served in the order of their oldest request. A request for shard s waits at most for
the jobs in progress as it arrives, then for one job of each of the S - 1 other shards: when one
of those has been served, all that still waits for it is younger than our request. Then comes its
own job. With one worker that does c shard rebuilds a day and jobs of at most one rebuild:
age <= (1 + (S - 1) + 1) / c = (S + 1) / c days, whatever the number of requests.

With m workers a job takes up to m / c days. The jobs in progress are over after m / c; from then
on all workers are busy with the S - 1 others, at c a day in all, until ours starts:
age <= (S - 1 + 2m) / c. Where shards wait on purpose until they are due to start, that wait is
added. Where shards are of unequal size, S counts a smaller one as the part that it is of the
largest: each of the others is served once, at its own cost.
"""

from __future__ import annotations

from dataclasses import dataclass

from unlearning.core.costs.checks import NotPossible, between, whole

INTERNAL_DEADLINE = 23.0  # days, a week before the month of Art. 12(3) ends


@dataclass(frozen=True, kw_only=True)
class Capacity:
    """``per_day`` rebuilds of a whole shard, by ``workers`` that each do one job at a time."""

    per_day: float
    workers: int = 1

    def __post_init__(self) -> None:
        """Refuse a capacity that rebuilds nothing.

        Raises:
            NotPossible: the sentence names the field, its value and what is allowed.
        """
        between("per_day", self.per_day, 1e-9)
        whole("workers", self.workers)

    def days(self, work: float) -> float:
        """Return how long a job of so many shard rebuilds takes one worker."""
        return work * self.workers / self.per_day

    def age_bound(self, shards: float, *, wait: float = 0.0) -> float:
        """Return the greatest age in days that a request reaches, oldest first and coalesced.

        It does not hold while a full retrain keeps the workers busy; see ``scheduler``.
        """
        return wait + (shards - 1 + 2 * self.workers) / self.per_day


def needed_per_day(
    shards: float, *, deadline: float = INTERNAL_DEADLINE, margin: float = 0.0, workers: int = 1
) -> float:
    """Return the smallest capacity that keeps every request ``margin`` days under a deadline.

    Raises:
        NotPossible: the margin leaves nothing of the deadline.
    """
    if deadline <= margin:
        raise NotPossible(
            f"margin is {margin:g} days; it must be less than the deadline, {deadline:g}."
        )
    return (shards - 1 + 2 * workers) / (deadline - margin)
