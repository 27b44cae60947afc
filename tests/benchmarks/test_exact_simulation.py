"""The simulated month says what the policies cost and whom they miss."""

from __future__ import annotations

import json

import pytest

from benchmarks import exact_simulation
from unlearning.core.scheduling.policies import OLDEST_FIRST, ONE_BY_ONE, POLICIES


@pytest.fixture(scope="module")
def rows():
    """The quick month."""
    return exact_simulation.rows(quick=True)


def test_there_is_a_row_for_each_volume_and_policy(rows):
    found = [(row["requests_per_day"], row["policy"]) for row in rows]
    assert found == [(volume, each.name) for volume in (1, 100, 1000) for each in POLICIES]
    json.dumps(rows, allow_nan=False)


def test_no_bound_is_passed_and_what_is_spent_does_not_grow_with_the_volume(rows):
    bounded = [row for row in rows if row["age_bound_days"]]
    assert len(bounded) == 6
    assert all(row["max_age_days"] <= row["age_bound_days"] for row in bounded)
    assert all(row["missed"] == 0 for row in bounded)
    assert max(row["full_retrain_equivalents"] for row in rows) <= 3


def test_one_by_one_misses_nearly_everybody_at_volume(rows):
    most = {row["policy"]: row for row in rows if row["requests_per_day"] == 1000}
    assert most[ONE_BY_ONE.name]["missed"] > 100 * most[ONE_BY_ONE.name]["served"]
    assert most[OLDEST_FIRST.name]["served"] > 20_000
