"""Placement that knows of people is cheaper, by as much as drawing says."""

from __future__ import annotations

import numpy as np
import pytest

from tests.unlearning.core.costs.drawing import drawn_fraction, mean_within
from unlearning.core.costs.checks import NotPossible
from unlearning.core.costs.placement import (
    Placement,
    Prone,
    gain,
    prone_fraction,
    subject_fraction,
)

P = Placement


@pytest.mark.parametrize(
    ("shards", "records", "random", "aware", "times"),
    [
        (10, 10, 0.500, 0.070, 7.1),
        (10, 30, 0.843, 0.070, 12),
        (10, 100, 0.984, 0.070, 14),
        (20, 10, 0.295, 0.035, 8.4),
        (20, 30, 0.630, 0.035, 18),
        (20, 100, 0.933, 0.035, 26.7),
        (50, 10, 0.131, 0.014, 9.3),
        (50, 30, 0.338, 0.014, 24),
        (50, 100, 0.722, 0.014, 51.5),
    ],
)
def test_one_person_costs_what_the_notes_say(shards, records, random, aware, times):
    assert subject_fraction(P.RANDOM, shards, 10, records) == pytest.approx(random, abs=6e-4)
    assert subject_fraction(P.SUBJECT_AWARE, shards, 10, records) == pytest.approx(aware, abs=6e-4)
    assert gain(shards, 10, records) == pytest.approx(times, rel=0.012)


@pytest.mark.parametrize("placement", P)
def test_one_person_costs_what_drawing_says(placement):
    shards, slices, records = 8, 5, 6

    def one(rng):
        apart = {P.RANDOM: (records, records), P.SAME_SHARD: (1, records), P.SUBJECT_AWARE: (1, 1)}
        in_shards, in_slices = apart[placement]
        shard = np.resize(rng.integers(shards, size=in_shards), records)
        slice_ = np.resize(rng.integers(slices, size=in_slices), records)
        return drawn_fraction(shard, slice_, shards, slices)

    assert mean_within(one, subject_fraction(placement, shards, slices, records))


def test_the_shard_alone_gives_most_of_the_gain():
    same, aware = (subject_fraction(p, 20, 10, 10) for p in (P.SAME_SHARD, P.SUBJECT_AWARE))
    assert same / aware == pytest.approx(1.4, abs=0.05)


@pytest.mark.parametrize(
    ("share", "own", "last", "overlooked"),
    [(0.5, 0.38, 0.36, 0.41), (0.8, 0.23, 0.22, 0.33), (0.95, 0.13, 0.15, 0.29)],
)
def test_those_likely_to_ask_are_best_apart(share, own, last, overlooked):
    def fraction(placement, missed=0.0):
        return prone_fraction(placement, 20, 10, 20, share=share, overlooked=missed)

    assert fraction(Prone.RANDOM) == pytest.approx(0.49, abs=0.006)
    assert fraction(Prone.OWN_SHARDS) == pytest.approx(own, abs=0.006)
    assert fraction(Prone.LAST_SLICE) == pytest.approx(last, abs=0.006)
    assert fraction(Prone.LAST_SLICE, 0.3) == pytest.approx(overlooked, abs=0.006)


@pytest.mark.parametrize("placement", Prone)
def test_a_batch_with_people_likely_to_ask_costs_what_drawing_says(placement):
    shards, slices, requests, share, missed = 20, 4, 12, 0.7, 0.2

    def one(rng):
        known = (rng.random(requests) < share) & (rng.random(requests) >= missed)
        shard, slice_ = rng.integers(shards, size=requests), rng.integers(slices, size=requests)
        if placement is Prone.OWN_SHARDS:
            shard = np.where(
                known, rng.integers(2, size=requests), rng.integers(2, shards, size=requests)
            )
        if placement is Prone.LAST_SLICE:
            slice_ = np.where(known, slices - 1, rng.integers(slices - 1, size=requests))
        return drawn_fraction(shard, slice_, shards, slices)

    expected = prone_fraction(placement, shards, slices, requests, share=share, overlooked=missed)
    assert mean_within(one, expected)


def test_without_slices_the_last_one_is_the_whole_shard():
    assert prone_fraction(Prone.LAST_SLICE, 5, 1, 1, share=0.9) == pytest.approx(1 / 5)


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"shards": 1}, "shards is 1; it must be a whole number of at least 2"),
        ({"share": 1.5}, "share is 1.5; it must be between 0 and 1"),
        ({"overlooked": -1}, "overlooked is -1; it must be between 0 and 1"),
    ],
)
def test_what_no_plan_can_have_is_named(values, sentence):
    given = {"shards": 10, "slices": 5, "requests": 3, "share": 0.5, **values}
    with pytest.raises(NotPossible, match=sentence):
        prone_fraction(Prone.OWN_SHARDS, **given)
