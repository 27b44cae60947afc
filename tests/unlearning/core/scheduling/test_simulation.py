"""Random arrivals never wait longer than the bound where they share rebuilds, oldest first."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unlearning.core.scheduling.backlog import Request, ShardedRun
from unlearning.core.scheduling.capacity import Capacity
from unlearning.core.scheduling.policies import (
    LAZY,
    MOST_PENDING,
    OLDEST_FIRST,
    ONE_BY_ONE,
    POLICIES,
    RENEWING,
    StartRules,
)
from unlearning.core.scheduling.simulation import arrivals, simulate

ROUNDING = 1e-9
PURELY_BY_AGE = replace(LAZY, start=StartRules(min_backlog=10**9, max_rolled_back=1.0))


@st.composite
def floods(draw, runs=2):
    """Trainings, and requests to them that come in clumps; any one may be sent many times."""
    known = {
        name: ShardedRun(shards=draw(st.integers(1, 5)), slices=draw(st.integers(1, 3)), size=size)
        for name, size in zip("ab"[:runs], (1.0, 0.5), strict=False)
    }
    found = []
    for number in range(draw(st.integers(1, 60))):
        run = draw(st.sampled_from(sorted(known)))
        shard = draw(st.integers(0, known[run].shards - 1))
        slice_ = draw(st.integers(0, known[run].slices - 1))
        at = draw(st.integers(0, 160)) / 8
        found.append(Request(str(number), run, shard, slice_, at, at + 23))
    return known, sorted(found, key=lambda each: each.arrived)


def total(runs):
    return sum(run.shards for run in runs.values())


@settings(max_examples=60, deadline=None)
@given(floods(), st.sampled_from([0.3, 0.7, 1.0, 3.0]), st.integers(1, 3))
def test_no_request_becomes_older_than_the_bound(flood, per_day, workers):
    runs, requests = flood
    capacity = Capacity(per_day=per_day, workers=workers)
    found = simulate(requests, runs=runs, policy=OLDEST_FIRST, capacity=capacity, days=500)
    assert found.served == len(requests)
    assert found.max_age <= (total(runs) - 1 + 2 * workers) / per_day + ROUNDING
    if workers == 1:
        assert found.max_age <= (total(runs) + 1) / per_day + ROUNDING


@settings(max_examples=40, deadline=None)
@given(floods(), st.sampled_from([0.5, 1.0, 4.0]), st.floats(0, 9), st.integers(1, 30))
def test_waiting_on_purpose_adds_what_was_waited(flood, per_day, min_age, min_backlog):
    runs, requests = flood
    capacity = Capacity(per_day=per_day)
    policy = replace(LAZY, start=StartRules(min_age=min_age, min_backlog=min_backlog))
    found = simulate(requests, runs=runs, policy=policy, capacity=capacity, days=500)
    assert found.served == len(requests)
    assert found.max_age <= capacity.age_bound(total(runs), wait=min_age) + ROUNDING


@settings(max_examples=40, deadline=None)
@given(floods(runs=1), st.sampled_from([0.5, 1.0, 4.0]), st.floats(0.1, 1))
def test_a_full_retrain_makes_nobody_late_who_would_have_been_in_time(flood, per_day, above):
    runs, requests = flood
    capacity = Capacity(per_day=per_day)
    policy = replace(OLDEST_FIRST, retrain_above=above)
    found = simulate(requests, runs=runs, policy=policy, capacity=capacity, days=500)
    assert found.served == len(requests)
    if capacity.age_bound(total(runs)) <= 23:
        assert found.missed == 0


@settings(max_examples=30, deadline=None)
@given(floods(), st.sampled_from(POLICIES), st.integers(5, 60))
def test_every_request_is_counted_and_no_more_is_spent_than_there_is(flood, policy, days):
    runs, requests = flood
    capacity = Capacity(per_day=0.8)
    found = simulate(requests, runs=runs, policy=policy, capacity=capacity, days=days)
    assert found.work <= 0.8 * days + ROUNDING
    assert found.served + found.missed <= 2 * len(requests)
    assert found.served <= sum(each.arrived <= days for each in requests)
    assert found.renewals <= found.jobs


def test_one_by_one_breaks_the_bound():
    run = ShardedRun(shards=4, slices=2)
    requests = [Request(str(n), "a", n % 4, 0, 0.0, 23.0) for n in range(40)]
    capacity = Capacity(per_day=1)
    ages = {
        policy.name: simulate(
            requests, runs={"a": run}, policy=policy, capacity=capacity, days=100
        ).max_age
        for policy in (ONE_BY_ONE, OLDEST_FIRST)
    }
    assert ages[ONE_BY_ONE.name] == pytest.approx(40)
    assert capacity.age_bound(4) == 5
    assert ages[OLDEST_FIRST.name] == pytest.approx(4)


def test_the_bound_is_all_but_reached():
    """A job has begun, three other shards have older requests, and then the own job comes."""
    run = ShardedRun(shards=4, slices=1)
    order = [(0, 0.0), (1, 0.001), (2, 0.002), (3, 0.003), (0, 0.004)]
    requests = [Request(str(at), "a", shard, 0, at, 99.0) for shard, at in order]
    found = simulate(
        requests, runs={"a": run}, policy=OLDEST_FIRST, capacity=Capacity(per_day=1), days=50
    )
    assert found.max_age == pytest.approx(5 - 0.004)


@pytest.fixture(scope="module")
def burst():
    """100 requests a day to 100 shards for 60 days, and 3,000 more on the tenth."""
    run = ShardedRun(shards=100, slices=10)
    rng = np.random.default_rng(5)
    requests = arrivals(rng, per_day=100, days=60, run=run, deadline=25, bursts={10: 3000})

    def served(policy, per_day):
        return simulate(
            requests,
            runs={"run": run},
            policy=policy,
            capacity=Capacity(per_day=per_day),
            days=60,
            deadline=25,
        )

    return served


@pytest.mark.parametrize(
    ("policy", "per_day", "expected"),
    [
        (ONE_BY_ONE, 8, (696, 6151, 52, 4.8)),
        (MOST_PENDING, 8, (8397, 0, 15.9, 4.8)),
        (OLDEST_FIRST, 8, (8331, 0, 12.2, 4.8)),
        (PURELY_BY_AGE, 8, (8346, 0, 13.9, 4.25)),
        (MOST_PENDING, 5, (7985, 34, 23.1, 3.0)),
        (OLDEST_FIRST, 5, (7965, 0, 19.7, 3.0)),
    ],
    ids=lambda value: getattr(value, "name", None),
)
def test_a_burst_goes_as_in_the_notes(burst, policy, per_day, expected):
    served, missed, p99_age, full_retrains = expected
    found = burst(policy, per_day)
    assert found.served == pytest.approx(served, rel=0.05)
    assert found.missed == pytest.approx(missed, rel=0.05, abs=40)
    assert found.p99_age == pytest.approx(p99_age, rel=0.1)
    assert found.full_retrains == pytest.approx(full_retrains, rel=0.05)


@pytest.mark.parametrize(("per_day", "bound"), [(8, 12.625), (5, 20.2)])
def test_a_burst_touches_the_bound_and_most_pending_first_passes_it(burst, per_day, bound):
    assert bound - 0.2 < burst(OLDEST_FIRST, per_day).max_age <= bound
    assert burst(MOST_PENDING, per_day).max_age > bound + 1


def test_full_retrains_are_started_when_nearly_all_is_void(burst):
    found = burst(RENEWING, 9)
    assert found.renewals > 0
    assert found.missed == 0


def test_an_empty_month_is_an_empty_outcome():
    run = ShardedRun(shards=4, slices=2)
    requests = arrivals(np.random.default_rng(0), per_day=0, days=30, run=run)
    found = simulate(
        requests, runs={"run": run}, policy=LAZY, capacity=Capacity(per_day=1), days=30
    )
    assert (found.served, found.missed, found.max_age, found.work) == (0, 0, 0, 0)
