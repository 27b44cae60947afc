"""Requests that arrive over time, served by the scheduler itself, with a clock that jumps."""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from unlearning.core.scheduling.backlog import Backlog, Request, ShardedRun
from unlearning.core.scheduling.capacity import INTERNAL_DEADLINE
from unlearning.core.scheduling.scheduler import next_job, next_start

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from unlearning.core.scheduling.backlog import Job
    from unlearning.core.scheduling.capacity import Capacity
    from unlearning.core.scheduling.policies import Policy


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What came of the requests; ages are in days.

    Attributes:
        served: requests whose rebuild was over before the end.
        missed: requests served after their due date, or waiting past it at the end.
        p50_age: median age at which a request was served; ``p99_age`` likewise.
        max_age: greatest age of all, of those that still wait at the end too.
        work: rebuilds of one whole shard; ``full_retrains`` the same in full trainings.
        jobs: how many were started and ended, full retrains among them in ``renewals``.
    """

    served: int
    missed: int
    p50_age: float
    p99_age: float
    max_age: float
    work: float
    full_retrains: float
    jobs: int
    renewals: int


def arrivals(
    rng: np.random.Generator,
    *,
    per_day: float,
    days: float,
    run: ShardedRun,
    deadline: float = INTERNAL_DEADLINE,
    bursts: Mapping[float, float] | None = None,
) -> list[Request]:
    """Return requests to a training named ``run`` at uniform shards and slices, oldest first.

    Args:
        rng: where chance comes from.
        per_day: mean number a day (Poisson).
        days: how long they keep coming.
        run: its shards and slices.
        deadline: days from arrival to the due date.
        bursts: mean number of additional requests within the day that begins at each key.
    """
    times = [rng.uniform(0, days, rng.poisson(per_day * days))]
    for start, more in (bursts or {}).items():
        times.append(rng.uniform(start, start + 1, rng.poisson(more)))
    arrived = np.sort(np.concatenate(times))
    shards = rng.integers(run.shards, size=len(arrived))
    slices = rng.integers(run.slices, size=len(arrived))
    rows = zip(arrived.tolist(), shards.tolist(), slices.tolist(), strict=True)
    return [
        Request(str(number), "run", shard, slice_, at, at + deadline)
        for number, (at, shard, slice_) in enumerate(rows)
    ]


def simulate(
    requests: Sequence[Request],
    *,
    runs: Mapping[str, ShardedRun],
    policy: Policy,
    capacity: Capacity,
    days: float,
    deadline: float = INTERNAL_DEADLINE,
) -> Outcome:
    """Serve requests, sorted by arrival, for so many days; every job takes what it should."""
    clock = _Clock(requests, Backlog(runs), capacity)
    now = 0.0
    while now <= days:
        clock.move(now)
        while job := next_job(
            clock.backlog, now, policy=policy, capacity=capacity, deadline=deadline
        ):
            clock.start(job, now)
        now = clock.next(now, next_start(clock.backlog, policy, capacity))
    return _outcome(clock, days)


class _Clock:
    """What has happened so far."""

    def __init__(self, requests: Sequence[Request], backlog: Backlog, capacity: Capacity) -> None:
        self.requests, self.backlog, self.capacity = requests, backlog, capacity
        self.arrived = 0
        self.running: list[tuple[float, int, Job]] = []
        self.done: list[tuple[float, Job]] = []
        self.started = 0

    def move(self, now: float) -> None:
        """End the jobs that are over, and let those wait who have come."""
        while self.running and self.running[0][0] <= now:
            ended, _, job = heapq.heappop(self.running)
            self.backlog.end(job)
            self.done.append((ended, job))
        while self.arrived < len(self.requests) and self.requests[self.arrived].arrived <= now:
            self.backlog.add(self.requests[self.arrived])
            self.arrived += 1

    def start(self, job: Job, now: float) -> None:
        """Begin a job that takes as long as its work."""
        self.backlog.begin(job)
        self.started += 1
        heapq.heappush(self.running, (now + self.capacity.days(job.work), self.started, job))

    def next(self, now: float, wakes: float | None) -> float:
        """Return when something happens that the scheduler must know of."""
        times = [end for end, *_ in self.running[:1]]
        if len(self.running) < self.capacity.workers:
            times += [each.arrived for each in self.requests[self.arrived : self.arrived + 1]]
            times += [wakes] if wakes is not None and wakes > now else []
        return min(times, default=float("inf"))


def _outcome(clock: _Clock, days: float) -> Outcome:
    served = [
        (end - each.arrived, end > each.due) for end, job in clock.done for each in job.requests
    ]
    waiting = [e[2] for one in clock.backlog.waiting() for e in one.requests]
    waiting += [each for *_, job in clock.running for each in job.requests]
    waiting += [each for each in clock.requests[clock.arrived :] if each.arrived <= days]
    ages = np.array([age for age, _ in served] or [0.0])
    left = [days - each.arrived for each in waiting]
    whole = sum(run.shards * run.size for run in clock.backlog.runs.values())
    work = sum(job.work for _, job in clock.done)
    return Outcome(
        served=len(served),
        missed=sum(late for _, late in served) + sum(each.due < days for each in waiting),
        p50_age=float(np.median(ages)),
        p99_age=float(np.quantile(ages, 0.99)),
        max_age=max([float(ages.max()), *left]),
        work=work,
        full_retrains=work / whole,
        jobs=len(clock.done),
        renewals=sum(job.shard is None for _, job in clock.done),
    )
