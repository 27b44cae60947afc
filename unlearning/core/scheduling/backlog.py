"""What waits for a rebuild, requests to one shard of one training together."""

from __future__ import annotations

from bisect import insort
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from unlearning.core.costs.checks import NotPossible, between, whole
from unlearning.core.costs.shards import redone_from

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping


class Request(NamedTuple):
    """One request as far as one shard goes; a request to several shards is several of these.

    ``arrived`` and ``due`` are in days since any fixed moment; ``slice`` counts from 0 and is the
    earliest that holds a record to be forgotten.
    """

    name: str
    run: str
    shard: int
    slice: int
    arrived: float
    due: float


@dataclass(frozen=True, kw_only=True)
class ShardedRun:
    """A training in shards; ``size`` is one of its shards in units of the largest there is."""

    shards: int
    slices: int
    size: float = 1.0
    redone: tuple[float, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Refuse a training that cannot be.

        Raises:
            NotPossible: the sentence names the field, its value and what is allowed.
        """
        whole("shards", self.shards)
        whole("slices", self.slices)
        between("size", self.size, 1e-9, 1)
        shares = (self.size * redone_from(self.slices)).tolist()
        object.__setattr__(self, "redone", tuple(shares))


@dataclass(frozen=True, kw_only=True)
class Job:
    """A rebuild of one shard, or of all where ``shard`` is None, for a batch that is frozen.

    ``work`` is in rebuilds of one whole shard; ``reason`` says why it starts now.
    """

    run: str
    shard: int | None
    requests: tuple[Request, ...]
    work: float
    reason: str


class Waiting:
    """The requests that wait for one shard, oldest first."""

    def __init__(self, run: str, shard: int) -> None:
        self.run, self.shard = run, shard
        self.requests: list[tuple[float, int, Request]] = []
        self.first_slice = self.due = float("inf")

    def __len__(self) -> int:
        return len(self.requests)

    @property
    def oldest(self) -> tuple[float, int]:
        """When its oldest request arrived, and that request's number: who came first on a tie."""
        return self.requests[0][:2]

    def add(self, number: int, request: Request) -> None:
        """Let a request wait; requests may be told in any order."""
        entry = (request.arrived, number, request)
        if self.requests and entry < self.requests[-1]:
            insort(self.requests, entry)
        else:
            self.requests.append(entry)
        self.first_slice = min(self.first_slice, request.slice)
        self.due = min(self.due, request.due)

    def take_first(self) -> None:
        """Let the oldest request wait no more."""
        del self.requests[0]
        self.first_slice = min((entry[2].slice for entry in self.requests), default=float("inf"))
        self.due = min((entry[2].due for entry in self.requests), default=float("inf"))


class Backlog:
    """Everything that waits, and which shards are being rebuilt."""

    def __init__(self, runs: Mapping[str, ShardedRun], requests: Iterable[Request] = ()) -> None:
        self.runs = dict(runs)
        self.running: list[Job] = []
        self._waiting: dict[tuple[str, int], Waiting] = {}
        self._arrivals = 0
        for each in requests:
            self.add(each)

    @property
    def shards(self) -> int:
        """How many shards share the capacity."""
        return sum(run.shards for run in self.runs.values())

    @property
    def whole(self) -> float:
        """What it takes to rebuild every shard, in rebuilds of the largest."""
        return sum(run.shards * run.size for run in self.runs.values())

    def add(self, request: Request) -> None:
        """Let a request wait for its shard's next rebuild, never for one that has begun.

        Raises:
            NotPossible: its run, shard or slice does not exist.
        """
        run = self.runs.get(request.run)
        if run is None:
            raise NotPossible(f"run is {request.run!r}; known are {', '.join(sorted(self.runs))}.")
        if not 0 <= request.shard < run.shards or not 0 <= request.slice < run.slices:
            raise NotPossible(
                f"Request {request.name} names shard {request.shard} and slice {request.slice}; "
                f"run {request.run} has {run.shards} shards of {run.slices} slices, from 0."
            )
        key = (request.run, request.shard)
        waiting = self._waiting.get(key)
        if waiting is None:
            waiting = self._waiting[key] = Waiting(*key)
        waiting.add(self._arrivals, request)
        self._arrivals += 1

    def waiting(self, run: str | None = None) -> Iterator[Waiting]:
        """Yield what waits, for one training or all, also for shards that are being rebuilt."""
        return (one for one in self._waiting.values() if run is None or one.run == run)

    def free(self) -> list[Waiting]:
        """Return what waits for shards that no job holds."""
        held = {(job.run, job.shard) for job in self.running}
        return [
            one
            for key, one in self._waiting.items()
            if key not in held and (one.run, None) not in held
        ]

    def work(self, one: Waiting) -> float:
        """Return what a rebuild for all that wait costs, in rebuilds of one whole shard."""
        return self.runs[one.run].redone[int(one.first_slice)]

    def fraction(self, run: str) -> float:
        """Return the part of a full training that what waits for it makes void."""
        known = self.runs[run]
        return sum(map(self.work, self.waiting(run))) / (known.shards * known.size)

    def rolled_back(self, run: str) -> float:
        """Return the share of shards that serve an earlier state, or none, until rebuilt."""
        stale = {one.shard for one in self.waiting(run)}
        stale |= {job.shard for job in self.running if job.run == run and job.shard is not None}
        return len(stale) / self.runs[run].shards

    def begin(self, job: Job) -> None:
        """Hold the shards of a job; its batch waits no more."""
        self.running.append(job)
        for one in list(self.waiting(job.run)):
            if job.shard is None or (job.shard == one.shard and len(job.requests) == len(one)):
                del self._waiting[one.run, one.shard]
            elif job.shard == one.shard:
                one.take_first()

    def set_aside(self, run: str, shard: int) -> None:
        """Forget what waits for a shard, as it must wait for something else."""
        self._waiting.pop((run, shard), None)

    def end(self, job: Job) -> None:
        """Let the shards of a job go."""
        self.running.remove(job)
