"""What to start now, and what to warn of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from unlearning.core.scheduling.backlog import Job
from unlearning.core.scheduling.capacity import INTERNAL_DEADLINE, needed_per_day
from unlearning.core.scheduling.policies import DUE

if TYPE_CHECKING:
    from unlearning.core.scheduling.backlog import Backlog, Waiting
    from unlearning.core.scheduling.capacity import Capacity
    from unlearning.core.scheduling.policies import Policy


def next_job(
    backlog: Backlog,
    now: float,
    *,
    policy: Policy,
    capacity: Capacity,
    deadline: float = INTERNAL_DEADLINE,
) -> Job | None:
    """Return the job that an idle worker starts now, with its batch; None if it stays idle.

    Nothing is changed: ``backlog.begin`` does that. ``deadline`` is in days from arrival.
    """
    if len(backlog.running) >= capacity.workers:
        return None
    free = backlog.free()
    if policy.retrain_above is not None and (
        job := _renewal(backlog, now, policy, capacity, deadline)
    ):
        return job
    reasons = [(one, _reason(one, backlog, now, policy, capacity)) for one in free]
    ready = [(one, reason) for one, reason in reasons if reason]
    if not ready:
        return None
    chosen, reason = min(ready, key=lambda pair: policy.key(pair[0]))
    return _rebuild(chosen, reason, backlog, policy)


def due_job(backlog: Backlog, now: float, *, policy: Policy, capacity: Capacity) -> Job | None:
    """Return the job that cannot wait for an idle worker: its latest start has come; else None.

    It stands next in line once it has begun, and no request joins it any more.
    """
    start = policy.start
    if start is None:
        return None
    due = [one for one in backlog.free() if start.is_due(one, now, capacity.days(1))]
    return _rebuild(min(due, key=policy.key), DUE, backlog, policy) if due else None


def next_start(backlog: Backlog, policy: Policy, capacity: Capacity) -> float | None:
    """Return when a shard that waits on purpose will start though nobody else asks."""
    if policy.start is None:
        return None
    times = (policy.start.wakes(one, capacity.days(1)) for one in backlog.free())
    return min(times, default=None)


def warnings(
    backlog: Backlog,
    now: float,
    *,
    capacity: Capacity,
    policy: Policy,
    deadline: float = INTERNAL_DEADLINE,
    late: int = 0,
) -> tuple[str, ...]:
    """Return a sentence for each thing that somebody must act on.

    ``late`` requests that are not in the backlog are past their due date too.
    """
    found = []
    wait = policy.start.min_age if policy.start else 0.0
    bound = capacity.age_bound(backlog.whole, wait=wait)
    if bound > deadline:
        found.append(_too_little(backlog, bound, wait, capacity, deadline))
    late += sum(due < now for one in backlog.waiting() for *_, due in (e[2] for e in one.requests))
    if late:
        found.append(
            f"Past their due date, and still waiting: {late}. Answer them by other means."
        )
    return tuple(found)


def _too_little(
    backlog: Backlog, bound: float, wait: float, capacity: Capacity, deadline: float
) -> str:
    how = (
        f"With {backlog.shards} shards and {capacity.per_day:g} rebuilds a day a request can "
        f"become {bound:.1f} days old, past the deadline of {deadline:g} days"
    )
    if deadline <= wait:
        return f"{how}: wait less before a start."
    needed = needed_per_day(
        backlog.whole, deadline=deadline, margin=wait, workers=capacity.workers
    )
    return f"{how}: rebuild {needed:.2f} shards a day or more, or wait less before a start."


def _reason(one: Waiting, backlog: Backlog, now: float, policy: Policy, capacity: Capacity) -> str:
    if policy.start is None:
        return "a worker is free"
    return policy.start.reason(one, backlog, now, capacity.days(1))


def _rebuild(one: Waiting, reason: str, backlog: Backlog, policy: Policy) -> Job:
    waiting = one.requests if policy.together else one.requests[:1]
    requests = tuple(entry[2] for entry in waiting)
    first = min(request.slice for request in requests)
    return Job(
        run=one.run,
        shard=one.shard,
        requests=requests,
        work=backlog.runs[one.run].redone[first],
        reason=reason,
    )


def _renewal(
    backlog: Backlog, now: float, policy: Policy, capacity: Capacity, deadline: float
) -> Job | None:
    """Return a full retrain where one is worth it and makes nobody late."""
    busy = {job.run for job in backlog.running}
    for run in backlog.runs:
        if run in busy:
            continue
        fraction = backlog.fraction(run)
        if fraction > (policy.retrain_above or 1) and _in_time(
            run, backlog, now, capacity, deadline
        ):
            return Job(
                run=run,
                shard=None,
                requests=tuple(e[2] for one in backlog.waiting(run) for e in one.requests),
                work=backlog.runs[run].shards * backlog.runs[run].size,
                reason=f"{fraction:.0%} of the training is void; a fresh plan replaces it",
            )
    return None


def _in_time(run: str, backlog: Backlog, now: float, capacity: Capacity, deadline: float) -> bool:
    """Return whether a full retrain keeps what waits, and what comes meanwhile, in time.

    What waits for this training is served by it. All else waits until it is over, and then as
    long as any request: at most one job for every shard.
    """
    known = backlog.runs[run]
    days = capacity.days(known.shards * known.size)
    after = capacity.age_bound(backlog.whole) - capacity.days(1)
    others = [one.due for one in backlog.waiting() if one.run != run]
    own = [one.due for one in backlog.waiting(run)]
    return (
        days + after <= deadline
        and now + days <= min(own)
        and now + days + after <= min(others, default=float("inf"))
    )
