"""Bars of a chart: what they add up to, and that they stay in their box."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audits.core.bars import HEIGHT, WIDTH, Column, bars

COLUMNS = st.lists(
    st.lists(st.integers(0, 99), min_size=1, max_size=3).map(
        lambda values: Column(label="x", values={str(at): v for at, v in enumerate(values)})
    ),
    max_size=6,
)


@given(COLUMNS)
def test_every_value_is_a_bar_within_the_box(columns):
    found = bars(columns)
    assert len(found) in (0, sum(bool(v) for one in columns for v in one.values.values()))
    for bar in found:
        assert bar.x >= 0
        assert bar.x + bar.width <= WIDTH + 0.01
        assert bar.y >= -0.01
        assert bar.y + bar.height <= HEIGHT + 0.01


def test_the_highest_column_fills_the_box_and_tones_stand_on_one_another():
    low, high = (
        Column(label="a", values={"good": 1}),
        Column(label="b", values={"good": 3, "bad": 1}),
    )
    first, second, third = bars([low, high], words="{label} {tone} {value:g}")
    assert (first.height, second.height, third.height) == (30, 90, 30)
    assert (first.y, second.y, third.y) == (90, 30, 0)
    assert first.x < second.x == third.x
    assert third.says == "b bad 1"


def test_nothing_has_no_bars_and_a_negative_value_is_refused():
    assert bars([]) == bars([Column(label="a", values={"good": 0})]) == ()
    with pytest.raises(ValueError, match="none may be below 0"):
        Column(label="a", values={"good": -1})
