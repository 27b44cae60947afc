"""Thirty days of very many requests in made-up time, at the capacity that the bound asks for."""

from __future__ import annotations

from typing import Any

import numpy as np

from unlearning.core.scheduling.backlog import ShardedRun
from unlearning.core.scheduling.capacity import INTERNAL_DEADLINE, Capacity, needed_per_day
from unlearning.core.scheduling.policies import OLDEST_FIRST
from unlearning.core.scheduling.simulation import arrivals, simulate

DAYS, SHARDS, SLICES = 30.0, 10, 5
TOO_LITTLE = 0.5  # of the capacity: what is missed then shows that missing is seen


def deadlines(per_day: int) -> dict[str, Any]:
    """Return how many requests of a month are late; all are followed until they are served."""
    known = ShardedRun(shards=SHARDS, slices=SLICES)
    needed = needed_per_day(SHARDS)
    requests = arrivals(np.random.default_rng(per_day), per_day=per_day, days=DAYS, run=known)
    found = {}
    for name, share in (("at_capacity", 1.0), ("at_half", TOO_LITTLE)):
        capacity = Capacity(per_day=needed * share)
        until = DAYS + capacity.age_bound(SHARDS) + 1.0
        ended = simulate(
            requests, runs={"run": known}, policy=OLDEST_FIRST, capacity=capacity, days=until
        )
        found[name] = {
            "served": ended.served,
            "missed": ended.missed,
            "max_age_days": round(ended.max_age, 2),
            "age_bound_days": round(capacity.age_bound(SHARDS), 2),
        }
    return {
        "requests": len(requests),
        "deadline_days": INTERNAL_DEADLINE,
        "capacity_shards_per_day": round(needed, 4),
        **found,
    }
