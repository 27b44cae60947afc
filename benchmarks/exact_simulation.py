"""A month of erasure requests under each policy of scheduling, at three volumes.

    python benchmarks/exact_simulation.py --json [--quick]

Nothing is trained: a rebuild takes as long as the cost model says, and the scheduler is the one
that the platform uses. All policies meet the same requests.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

if __package__ in {None, ""}:  # run as a file
    sys.path[0] = str(Path(__file__).resolve().parents[1])

import numpy as np

from benchmarks.command import run
from unlearning.core.scheduling.backlog import ShardedRun
from unlearning.core.scheduling.capacity import INTERNAL_DEADLINE, Capacity
from unlearning.core.scheduling.policies import POLICIES, Order, Policy
from unlearning.core.scheduling.simulation import Outcome, arrivals, simulate

DAYS = 30.0
WHOLE = 10.0  # days in which all shards can be rebuilt once
PER_DAY = (1, 100, 10_000)


def rows(*, shards: int = 10, slices: int = 5, quick: bool = False) -> list[dict[str, Any]]:
    """Return a row for each volume and policy, where all shards can be rebuilt once in ten days.

    The bound of oldest first is then (S + 1) / S of ten days, and a lazy start or a full retrain
    also fits the deadline. ``quick`` takes a tenth of the largest volume.
    """
    capacity = Capacity(per_day=shards / WHOLE)
    known = ShardedRun(shards=shards, slices=slices)
    volumes = [each // 10 if quick and each == max(PER_DAY) else each for each in PER_DAY]
    return [row for volume in volumes for row in _rows_of(volume, known, capacity)]


def measure(*, quick: bool = False) -> dict[str, Any]:
    """Return the rows, and the deadline that they are held to."""
    return {"deadline_days": INTERNAL_DEADLINE, "days": DAYS, "simulation": rows(quick=quick)}


def _rows_of(volume: int, known: ShardedRun, capacity: Capacity) -> list[dict[str, Any]]:
    rng = np.random.default_rng(volume)
    requests = arrivals(rng, per_day=volume, days=DAYS, run=known)
    return [
        _row(
            policy,
            volume,
            known,
            capacity,
            simulate(requests, runs={"run": known}, policy=policy, capacity=capacity, days=DAYS),
        )
        for policy in POLICIES
    ]


def _bound(policy: Policy, known: ShardedRun, capacity: Capacity) -> float | None:
    """Return the age that no request passes, for the policies that have such a bound."""
    if policy.order is not Order.OLDEST or not policy.together or policy.retrain_above:
        return None
    wait = policy.start.min_age if policy.start else 0.0
    return round(capacity.age_bound(known.shards, wait=wait), 2)


def _row(
    policy: Policy, volume: int, known: ShardedRun, capacity: Capacity, found: Outcome
) -> dict[str, Any]:
    return {
        "policy": policy.name,
        "requests_per_day": volume,
        "capacity_shards_per_day": round(capacity.per_day, 3),
        "age_bound_days": _bound(policy, known, capacity),
        "served": found.served,
        "missed": found.missed,
        "p50_age_days": round(found.p50_age, 2),
        "max_age_days": round(found.max_age, 2),
        "full_retrain_equivalents": round(found.full_retrains, 2),
        "jobs": found.jobs,
        "full_retrains": found.renewals,
    }


if __name__ == "__main__":
    run(measure, __doc__ or "")
