"""A hyperparameter is held to its declaration, in words."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unlearning.core.ranges import OutOfRange, Range, check_ranges, hyperparameters


@dataclass(frozen=True, kw_only=True)
class Settings:
    rate: Annotated[float, Range(1e-6, 1e-1, log=True, help="size of a step")] = 1e-3
    epochs: Annotated[int, Range(1, 50, help="passes")] = 5
    stop: Annotated[float | None, Range(0, 1, help="early end")] = None
    note: str = ""

    def __post_init__(self) -> None:
        check_ranges(self)


@dataclass(frozen=True, kw_only=True)
class Freed(Settings):
    epochs: int = 900


def test_it_lists_the_ranged_fields_in_order():
    found = [(each.name, each.kind, each.optional) for each in hyperparameters(Settings)]
    assert found == [("rate", float, False), ("epochs", int, False), ("stop", float, True)]


def test_a_field_declared_again_without_a_range_has_none():
    assert [each.name for each in hyperparameters(Freed)] == ["rate", "stop"]
    assert Freed().epochs == 900


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"rate": 9}, r"^Settings\.rate is 9, outside \[1e-06, 0\.1\] \(log\)\.$"),
        ({"rate": math.nan}, r"rate is nan, outside"),
        ({"rate": "0.1"}, r"rate is '0\.1', which is not a number in"),
        ({"epochs": 0}, r"epochs is 0, outside \[1, 50\]\.$"),
        ({"epochs": 2.0}, r"epochs is 2\.0, which is not a whole number in"),
        ({"epochs": True}, r"epochs is True, which is not a whole number"),
        ({"epochs": None}, r"epochs is None, which is not a whole number"),
        ({"stop": -0.1}, r"stop is -0\.1, outside \[0, 1\]\.$"),
    ],
)
def test_what_does_not_fit_is_named(values, sentence):
    with pytest.raises(OutOfRange, match=sentence):
        Settings(**values)


def test_a_whole_number_given_for_a_float_becomes_one():
    assert repr(Settings(stop=1)) == repr(Settings(stop=1.0))


@settings(max_examples=50, deadline=None)
@given(st.floats(allow_nan=False) | st.integers(-(10**6), 10**6))
def test_exactly_the_closed_interval_is_accepted(value):
    if 1e-6 <= value <= 1e-1:
        assert Settings(rate=value).rate == value
    else:
        with pytest.raises(OutOfRange):
            Settings(rate=value)
