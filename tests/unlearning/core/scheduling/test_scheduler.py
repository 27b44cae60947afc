"""What starts, when and why; a batch is frozen as its job begins."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unlearning.core.costs.checks import NotPossible
from unlearning.core.scheduling.backlog import Backlog, Request, ShardedRun
from unlearning.core.scheduling.capacity import Capacity, needed_per_day
from unlearning.core.scheduling.policies import (
    LAZY,
    MOST_PENDING,
    OLDEST_FIRST,
    ONE_BY_ONE,
    Policy,
    StartRules,
)
from unlearning.core.scheduling.scheduler import next_job, next_start, warnings

RUN = ShardedRun(shards=10, slices=5)
CAPACITY = Capacity(per_day=2)


def asked(shard, at, slice_=4, run="a", due=None):
    name = f"{run}{shard}@{at}"
    return Request(name, run, shard, slice_, at, at + 23 if due is None else due)


def backlog(*requests: Request) -> Backlog:
    return Backlog({"a": RUN, "b": RUN}, requests)


def job(waiting, now=0.0, policy=OLDEST_FIRST, capacity=CAPACITY):
    return next_job(waiting, now, policy=policy, capacity=capacity)


def test_requests_to_one_shard_of_one_training_share_a_rebuild():
    waiting = backlog(asked(3, 1.0), asked(3, 2.0, slice_=1), asked(3, 0.5, run="b"), asked(4, 3))
    first = job(waiting)
    assert (first.run, first.shard, len(first.requests)) == ("b", 3, 1)
    waiting.begin(first)
    waiting.end(first)
    second = job(waiting)
    assert [each.arrived for each in second.requests] == [1.0, 2.0]
    assert second.work == pytest.approx(RUN.redone[1])


def test_a_batch_is_frozen_and_later_requests_wait_for_the_next():
    capacity = Capacity(per_day=2, workers=2)
    waiting = backlog(asked(3, 1.0))
    first = job(waiting, capacity=capacity)
    waiting.begin(first)
    waiting.add(asked(3, 2.0, slice_=0))
    assert len(first.requests) == 1
    assert job(waiting, capacity=capacity) is None, "the shard is held"
    waiting.end(first)
    assert [each.arrived for each in job(waiting, capacity=capacity).requests] == [2.0]


def test_nothing_starts_while_all_workers_are_busy():
    waiting = backlog(asked(1, 0), asked(2, 0))
    waiting.begin(job(waiting))
    assert job(waiting) is None
    assert job(waiting, capacity=Capacity(per_day=2, workers=2)).shard == 2


def test_each_policy_chooses_its_own_shard():
    waiting = backlog(asked(1, 0), asked(1, 5, slice_=0), *[asked(2, at) for at in (1, 2, 3)])
    chosen = {
        policy: job(waiting, 6, policy) for policy in (ONE_BY_ONE, OLDEST_FIRST, MOST_PENDING)
    }
    assert [(each.shard, len(each.requests)) for each in chosen.values()] == [
        (1, 1),
        (1, 2),
        (2, 3),
    ]
    assert chosen[ONE_BY_ONE].work < chosen[OLDEST_FIRST].work


def test_one_by_one_leaves_the_others_waiting():
    waiting = backlog(asked(1, 0, slice_=0), asked(1, 1, slice_=3, due=9.0))
    waiting.begin(job(waiting, policy=ONE_BY_ONE))
    (left,) = waiting.waiting()
    assert (left.first_slice, left.due, len(left)) == (3, 9.0, 1)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 20)), min_size=1, max_size=30))
def test_requests_may_be_told_in_any_order(told):
    waiting = backlog(*[asked(shard, float(at)) for shard, at in told])
    assert job(waiting).requests[0].arrived == min(at for _, at in told)
    for one in waiting.waiting():
        arrived = [entry[0] for entry in one.requests]
        assert arrived == sorted(arrived)


@pytest.mark.parametrize(
    ("requests", "now", "reason"),
    [
        ([asked(1, 0)], 6.9, ""),
        ([asked(1, 0)], 7.0, "its oldest request has waited for 7 days"),
        ([asked(1, 0, due=5.0)], 1.9, ""),
        ([asked(1, 0, due=5.0)], 2.0, "its earliest due date is near"),
        ([asked(1, 0)] * 19, 1.0, ""),
        ([asked(1, 0)] * 20, 1.0, "20 requests wait for it and a worker is idle"),
        ([asked(shard, 0) for shard in range(3)], 1.0, ""),
        ([asked(shard, 0) for shard in range(4)], 1.0, "more than 30% of the shards"),
    ],
)
def test_a_lazy_start_waits_until_one_rule_is_met(requests, now, reason):
    found = job(backlog(*requests), now, LAZY)
    assert (found is None) == (not reason)
    assert found is None or reason in found.reason


def test_a_shard_that_waits_tells_when_it_will_start():
    waiting = backlog(asked(1, 1.0), asked(2, 0.5, due=6.0))
    assert next_start(waiting, LAZY, CAPACITY) == 6.0 - 2 * 0.5 - 2
    assert next_start(waiting, OLDEST_FIRST, CAPACITY) is None
    assert next_start(backlog(), LAZY, CAPACITY) is None


def test_when_nearly_all_is_void_everything_is_trained_anew_once():
    policy = replace(OLDEST_FIRST, retrain_above=0.8)
    fast = Capacity(per_day=4)
    some, most = range(8), range(9)
    assert job(backlog(*[asked(s, 0, 0) for s in some]), policy=policy, capacity=fast).shard == 0
    waiting = backlog(*[asked(s, 0, 0) for s in most], asked(0, 0, 0, run="b"))
    found = job(waiting, policy=policy, capacity=fast)
    assert (found.run, found.shard, found.work, len(found.requests)) == ("a", None, 10, 9)
    assert "90% of the training is void" in found.reason
    waiting.begin(found)
    waiting.add(asked(1, 1.0))
    assert [one.run for one in waiting.free()] == ["b"], "the whole training is held"


def test_no_full_retrain_is_started_that_makes_somebody_late():
    policy = replace(OLDEST_FIRST, retrain_above=0.8)
    requests = [asked(s, 0, 0) for s in range(10)]
    capacity = Capacity(per_day=4)
    assert job(backlog(*requests), now=20.5, policy=policy, capacity=capacity).shard is None
    assert job(backlog(*requests), now=20.6, policy=policy, capacity=capacity).shard == 0
    slow = Capacity(per_day=1)
    assert job(backlog(*requests), policy=policy, capacity=slow).shard == 0


def test_a_bound_past_the_deadline_is_told_with_what_would_do():
    waiting = backlog(asked(1, 0))
    slow = Capacity(per_day=0.5)
    (told,) = warnings(waiting, 1.0, capacity=slow, policy=OLDEST_FIRST)
    assert "can become 42.0 days old, past the deadline of 23 days: rebuild 0.91 shards" in told
    enough = Capacity(per_day=needed_per_day(20))
    assert warnings(waiting, 1.0, capacity=enough, policy=OLDEST_FIRST) == ()
    assert "days old" in warnings(waiting, 1.0, capacity=enough, policy=LAZY)[0]
    (late,) = warnings(waiting, 24.0, capacity=enough, policy=OLDEST_FIRST)
    assert late.startswith("Past their due date, and still waiting: 1.")


def test_a_wait_longer_than_the_deadline_cannot_be_bought_back():
    lazy = replace(LAZY, start=StartRules(min_age=30))
    (told,) = warnings(backlog(), 0.0, capacity=CAPACITY, policy=lazy)
    assert told.endswith("deadline of 23 days: wait less before a start.")


def test_capacity_is_sized_by_the_deadline():
    assert needed_per_day(100, deadline=25, margin=2) == pytest.approx(4.4, abs=0.01)
    assert Capacity(per_day=8).age_bound(100) == pytest.approx(12.625)
    with pytest.raises(
        NotPossible, match="margin is 25 days; it must be less than the deadline, 25"
    ):
        needed_per_day(100, deadline=25, margin=25)


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: Capacity(per_day=0), "per_day is 0; it must be at least 1e-09"),
        (lambda: Capacity(per_day=1, workers=0), "workers is 0; it must be a whole number"),
        (lambda: ShardedRun(shards=1, slices=1, size=2), "size is 2; it must be between"),
        (
            lambda: StartRules(max_rolled_back=30),
            "max_rolled_back is 30; it must be between 0 and 1",
        ),
        (lambda: Policy(name="x", retrain_above=80), "retrain_above is 80; it must be between"),
        (lambda: backlog(asked(1, 0, run="c")), "run is 'c'; known are a, b"),
        (lambda: backlog(asked(10, 0)), "names shard 10 and slice 4; run a has 10 shards of 5"),
    ],
)
def test_what_cannot_be_is_named(call, sentence):
    with pytest.raises(NotPossible, match=sentence):
        call()
