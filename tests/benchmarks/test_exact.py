"""The benchmark of exact unlearning tells what it promises, and no bits where bits differ."""

from __future__ import annotations

import json
from dataclasses import replace
from unittest.mock import patch

import pytest

from benchmarks import exact, exact_matrix
from benchmarks.exact_problems import Problem
from benchmarks.exact_shards import Sharded, erasures
from benchmarks.unlearning_cells import digits
from unlearning.recipes.digits import DigitsMLP

FEW = 240
PAIRS = 5
SIZE = 300  # records of the matrix


@pytest.fixture(scope="module")
def tiny() -> Problem:
    """A few digits, and one person of each size who leaves."""
    (images, labels), (others, targets) = digits(None)
    return Problem(
        name="digits",
        recipe=DigitsMLP(hidden=8, epochs=4, learning_rate=0.05),
        train=(images[:FEW], labels[:FEW]),
        test=(others[:60], targets[:60]),
        leaving=1,
    )


@pytest.fixture(scope="module")
def whole(tiny):
    """The report, and what the second process said."""
    sizes = exact.Sizes(
        matrix=SIZE, grids={"digits": [(3, 1)]}, seeds=1, repeats=1, shards=3, slices=2
    )
    told = []
    ask = exact_matrix._elsewhere

    def heard(folder, size):
        told.extend(ask(folder, size))
        return told

    with patch.object(exact_matrix, "_elsewhere", heard):
        return exact.report([tiny], replace(tiny, name="small"), sizes), told


@pytest.fixture(scope="module")
def found(whole):
    return whole[0]


def test_the_figures_that_are_told_first_are_there(found):
    json.dumps(found, allow_nan=False)
    assert found["bit_exact"] is True
    assert list(found["fraction_of_retrain"]) == ["1", "10", "50"]
    assert all(0 < fraction <= 1 for fraction in found["fraction_of_retrain"].values())
    assert found["gain_vs_random_placement"] > 1
    assert found["replay_overhead_on"] == "small"
    assert found["planner_error_percent"] == 0
    assert isinstance(found["accuracy_price_points"], float)
    assert found["overhead"]["same_digest"] is True


def test_every_problem_tells_costs_grid_and_rollback(found):
    one = found["problems"]["digits"]
    assert one["retrain_seconds"] > 0
    for row in one["subjects"].values():
        assert row["second_execution"]["same_digest"] is True
        assert row["second_execution"]["like_scratch"] is True
    (cell,) = one["grid"]
    assert (cell["shards"], cell["slices"]) == (3, 1)
    assert [row["shards_hit"] for row in one["rollback"]] == [1, 3]
    assert one["rollback"][1]["dropped"] is None  # no shard is left to vote


def test_the_five_pairs_are_each_judged(found):
    pairs = {(row["network"], row["optimiser"]) for row in found["matrix"]}
    assert len(pairs) == len(found["matrix"]) == PAIRS
    assert all(row["fraction"] < 1 for row in found["matrix"])


def test_other_bits_in_the_second_process_are_not_called_exact(whole, monkeypatch):
    _, (first, *rest) = whole  # another process would say the same again
    altered = [replace(first, digest="0" * 64), *rest]
    monkeypatch.setattr(exact_matrix, "_elsewhere", lambda *_: altered)
    rows = exact_matrix.rows(SIZE)
    assert [row["bit_exact"] for row in rows] == [False, True, True, True, True]
    assert rows[0]["like_scratch"] is True


def test_a_person_in_one_place_costs_one_shard_and_scattered_all_of_them(tiny):
    aware = Sharded(problem=tiny, shards=3, slices=2)
    unaware = Sharded(problem=tiny, shards=3, slices=2, aware=False)
    (ours,), (theirs,) = erasures(aware, 50), erasures(unaware, 50)
    assert len(ours.shards) == 1
    assert theirs.shards == (0, 1, 2)
    assert ours.whole == pytest.approx(theirs.whole, rel=0.2)  # slices are not equal
    assert ours.spent == ours.predicted < theirs.spent
    assert aware.erase(aware.problem.people()[50][0]).digests == ours.digests
    assert aware.bench.trainer.store.list("erased/") == []
