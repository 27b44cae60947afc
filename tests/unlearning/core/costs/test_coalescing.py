"""Requests served together share what they make void; the table of the notes, and drawing."""

from __future__ import annotations

import pytest

from tests.unlearning.core.costs.drawing import drawn_fraction, mean_within
from unlearning.core.costs.checks import NotPossible
from unlearning.core.costs.coalescing import in_windows, one_by_one, when_oldest_is

HOUR = 1 / 24


@pytest.mark.parametrize(
    ("per_day", "shards", "alone", "windows"),
    [
        (100, 20, 105, (95, 28, 4.3, 1.2)),
        (100, 100, 21, (19.9, 14.7, 4.1, 1.2)),
        (100, 1000, 2.1, (2.0, 2.0, 1.6, 0.94)),
        (1_000, 20, 1_050, (533, 30, 4.3, 1.2)),
        (1_000, 100, 210, (181, 29.5, 4.3, 1.2)),
        (1_000, 1000, 21, (20.8, 14.6, 4.1, 1.2)),
        (10_000, 20, 10_500, (718, 30, 4.3, 1.2)),
        (10_000, 100, 2_100, (651, 30, 4.3, 1.2)),
        (10_000, 1000, 210, (179, 29.5, 4.3, 1.2)),
    ],
)
def test_a_month_costs_what_the_notes_say(per_day, shards, alone, windows):
    assert one_by_one(shards, 10, per_day) == pytest.approx(alone, rel=0.001)
    found = [in_windows(shards, 10, per_day, days) for days in (HOUR, 1, 7, 25)]
    # The notes round requests per window to whole numbers: 4 instead of 4.17 in an hour of 100.
    assert found == pytest.approx(windows, rel=0.05)


@pytest.mark.parametrize(
    ("per_day", "alone", "weekly", "lazy"),
    [(1, 1.05, 0.92, 0.85), (5, 5.3, 2.9, 2.4), (20, 21, 4.1, 3.7)],
)
def test_at_low_rates_a_clock_for_each_shard_saves_more(per_day, alone, weekly, lazy):
    assert one_by_one(20, 10, per_day) == pytest.approx(alone, rel=0.012)
    assert in_windows(20, 10, per_day, 7) == pytest.approx(weekly, rel=0.012)
    # The notes count 30 days that begin and end within a cycle.
    assert when_oldest_is(20, 10, per_day, 7) == pytest.approx(lazy, rel=0.025)


def test_a_window_costs_what_drawing_says():
    shards, slices, per_day, days = 10, 5, 3.0, 2.0

    def one(rng):
        count = rng.poisson(per_day * days)
        places = rng.integers(shards, size=count), rng.integers(slices, size=count)
        return drawn_fraction(*places, shards, slices) * 30 / days

    assert mean_within(one, in_windows(shards, slices, per_day, days))


def test_a_clock_for_each_shard_costs_what_drawing_says():
    slices, rate, days = 5, 0.4, 3.0  # requests a day to one shard

    def mean_of_years(rng):
        length = spent = 0.0
        for _ in range(30):
            length += rng.exponential(1 / rate) + days
            touched = rng.integers(slices, size=1 + rng.poisson(rate * days))
            spent += drawn_fraction(0, touched.min(), 1, slices)
        return spent - length / 30 * when_oldest_is(1, slices, rate, days)

    assert mean_within(mean_of_years, 0.0)


def test_waiting_longer_never_costs_more():
    found = [when_oldest_is(20, 5, 2, days) for days in (0, 1, 7, 20)]
    assert found == sorted(found, reverse=True)
    assert found[0] == pytest.approx(one_by_one(20, 5, 2), rel=0.1)


def test_nobody_asking_costs_nothing():
    assert one_by_one(5, 5, 0) == in_windows(5, 5, 0, 7) == 0
    with pytest.raises(NotPossible, match="days is 0; it must be at least"):
        in_windows(5, 5, 1, 0)
