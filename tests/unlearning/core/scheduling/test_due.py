"""What can wait no longer, what is set aside, and shards of unequal size."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unlearning.core.scheduling.backlog import Backlog, Request, ShardedRun
from unlearning.core.scheduling.capacity import Capacity
from unlearning.core.scheduling.policies import DUE, LAZY, OLDEST_FIRST, StartRules
from unlearning.core.scheduling.scheduler import due_job, next_job, warnings
from unlearning.core.scheduling.simulation import arrivals, simulate

CAPACITY = Capacity(per_day=2)
SLOW = replace(LAZY, start=StartRules(min_age=30, margin=2, min_backlog=10**6))


def backlog(*due: float) -> Backlog:
    run = ShardedRun(shards=len(due), slices=1)
    asked = [Request(str(at), "a", at, 0, float(at), each) for at, each in enumerate(due)]
    return Backlog({"a": run}, asked)


def test_what_is_due_starts_though_every_worker_is_busy_the_oldest_first():
    waiting = backlog(30.0, 20.0, 10.0)
    first = next_job(waiting, 0.0, policy=OLDEST_FIRST, capacity=CAPACITY)
    assert first is not None
    waiting.begin(first)
    assert next_job(waiting, 17.0, policy=SLOW, capacity=CAPACITY) is None
    begun = []
    while job := due_job(waiting, 17.0, policy=SLOW, capacity=CAPACITY):
        waiting.begin(job)
        begun.append((job.shard, job.reason))
    assert begun == [(1, DUE), (2, DUE)]  # 20 days less two jobs and two days, and what is late


@pytest.mark.parametrize(("now", "starts"), [(16.9, False), (17.0, True)])
def test_nothing_is_due_before_two_jobs_and_a_margin_are_all_that_is_left(now, starts):
    assert bool(due_job(backlog(20.0), now, policy=SLOW, capacity=CAPACITY)) == starts


def test_without_a_wait_on_purpose_nothing_goes_past_a_busy_worker():
    assert due_job(backlog(0.0), 17.0, policy=OLDEST_FIRST, capacity=CAPACITY) is None


def test_what_is_set_aside_waits_no_more():
    waiting = backlog(30.0, 20.0)
    waiting.set_aside("a", 0)
    waiting.set_aside("a", 0)
    assert [one.shard for one in waiting.free()] == [1]


def test_the_warning_counts_a_smaller_shard_as_its_part():
    runs = {"a": ShardedRun(shards=4, slices=1), "b": ShardedRun(shards=4, slices=1, size=0.25)}
    (sentence,) = warnings(
        Backlog(runs), 0.0, capacity=Capacity(per_day=1), policy=OLDEST_FIRST, deadline=5.9
    )
    assert sentence.startswith("With 8 shards and 1 rebuilds a day a request can become 6.0 days")
    assert "rebuild 1.02 shards a day or more" in sentence


@settings(max_examples=30, deadline=None)
@given(
    st.integers(0, 10**6), st.sampled_from([0.1, 0.5]), st.integers(1, 3), st.sampled_from([1, 3])
)
def test_the_bound_holds_with_shards_of_unequal_size(seed, size, workers, per_day):
    rng = np.random.default_rng(seed)
    runs = {
        "run": ShardedRun(shards=3, slices=2),
        "small": ShardedRun(shards=4, slices=1, size=size),
    }
    large, small = (arrivals(rng, per_day=4, days=10, run=run) for run in runs.values())
    asked = [*large, *(each._replace(run="small") for each in small)]
    capacity = Capacity(per_day=per_day, workers=workers)
    found = simulate(
        sorted(asked, key=lambda each: each.arrived),
        runs=runs,
        policy=OLDEST_FIRST,
        capacity=capacity,
        days=200,
    )
    assert found.served == len(asked)
    assert found.max_age <= capacity.age_bound(Backlog(runs).whole) + 1e-9
