from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audits.core.pareto import Point, picture, unbeaten

pairs = st.tuples(st.integers(1, 999), st.integers(0, 999))
points = st.lists(pairs, min_size=1, max_size=8).map(
    lambda found: [Point(label="x", cost=cost / 10, harm=harm / 10) for cost, harm in found]
)


def test_a_point_is_beaten_by_one_that_is_as_good_in_both_and_better_in_one():
    found = [
        Point(label="cheap", cost=0.1, harm=0.5),
        Point(label="sure", cost=1, harm=0),
        Point(label="worse", cost=0.2, harm=0.5),
        Point(label="twin", cost=0.1, harm=0.5),
        Point(label="as dear and less sure", cost=1, harm=0.1),
    ]
    assert unbeaten(found) == [True, True, False, True, False]


@given(points)
def test_somebody_is_unbeaten_and_whoever_is_beaten_is_so_by_one_of_them(found):
    best = [one for one, good in zip(found, unbeaten(found), strict=True) if good]
    assert best
    for one in found:
        assert any(other.cost <= one.cost and other.harm <= one.harm for other in best)


@given(points)
def test_marks_lie_inside_in_the_order_of_cost_and_harm(found):
    drawn = picture(found)
    assert drawn is not None
    for one, mark in zip(found, drawn.marks, strict=True):
        assert drawn.left <= mark.x <= drawn.right
        assert drawn.top <= mark.y <= drawn.bottom
        for other, its in zip(found, drawn.marks, strict=True):
            assert mark.x <= its.x or one.cost > other.cost
            assert mark.y >= its.y or one.harm > other.harm
    assert len(drawn.up) <= 7


def test_no_point_makes_no_picture_and_a_cost_of_nothing_is_refused():
    assert picture([]) is None
    with pytest.raises(ValueError, match="a cost above 0"):
        picture([Point(label="free", cost=0, harm=0.1)])
