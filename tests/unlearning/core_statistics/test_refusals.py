"""What no records can add up to is refused in words, and nothing is changed."""

from __future__ import annotations

import numpy as np
import pytest

from tests.unlearning.core_statistics.worlds import MODELS, SIZE, named, records_for, refitted
from unlearning.core.ranges import OutOfRange
from unlearning.core.statistics.counters import NeverAdded
from unlearning.core.statistics.fixed_point import LIMIT, UNIT, BeyondFixedPoint, quantised, real
from unlearning.core.statistics.gaussian import GaussianBayes
from unlearning.core.statistics.model import RowsDoNotFit
from unlearning.core.statistics.multinomial import MultinomialBayes
from unlearning.core.statistics.neighbours import Neighbours
from unlearning.core.statistics.ridge import Ridge
from unlearning.core.statistics.state import State

every_model = pytest.mark.parametrize("model", MODELS, ids=named)


def of(*rows: tuple[float, ...]) -> np.ndarray:
    return quantised(np.asarray(rows))


def ints(*labels: int) -> np.ndarray:
    return np.asarray(labels, np.int64)


@every_model
def test_more_records_than_there_are_cannot_be_removed(model):
    rows, targets = records_for(model, 6)
    state = refitted(model, rows, targets)
    twice = np.concatenate([rows, rows[:1]]), np.concatenate([targets, targets[:1]])
    with pytest.raises(NeverAdded, match="nothing was removed"):
        state.removed(*twice, operation="a")


@pytest.mark.parametrize(
    ("model", "row", "label", "sentence"),
    [
        (MultinomialBayes(**SIZE), (1, 1, 1), 2, "The number of records of class 2 would fall to"),
        (MultinomialBayes(**SIZE), (0, 9, 0), 0, "The sum of column 1 in class 0 would fall to"),
        (MultinomialBayes(**SIZE), (1, 1, 1), 1, "Class 1 would have no record left and sums"),
        (GaussianBayes(**SIZE), (1, 1, 1), 2, "The number of records of class 2 would fall to"),
        (GaussianBayes(**SIZE), (1, 9, 1), 0, "The sum of squares of column 1 in class 0 would"),
        (GaussianBayes(**SIZE), (1, 2, 1), 1, "Class 1 would have no record left and sums"),
        (GaussianBayes(**SIZE), (2, 2.8, 2), 0, "Column 1 in class 0 would have a negative var"),
        (Ridge(**SIZE), (1, 9, 1), 0, "The sum of squares of column 1 would fall to"),
        (Ridge(**SIZE), (0, 0, 0), 2, "The sum of squares of class 2 would fall to"),
        (Ridge(**SIZE), (4, 0, 0), 0, "Number 1 of .* would have a negative variance"),
        (
            Neighbours(**SIZE),
            (1, 1, 1),
            0,
            "1 of the 1 records to be removed are not in the model",
        ),
    ],
)
def test_a_record_that_was_never_added_is_refused_where_that_can_be_known(
    model, row, label, sentence
):
    state = refitted(model, of((2, 2, 2), (2, 2, 2), (3, 3, 3)), ints(0, 0, 1))
    with pytest.raises(NeverAdded, match=sentence):
        state.removed(of(row), ints(label), operation="a")


def test_only_nearest_neighbours_know_every_stranger():
    """Sums cannot tell a stranger that might have been there; the page says so."""
    rows, targets = of((2, 2, 2), (1, 3, 2)), ints(0, 0)
    stranger = of((1.5, 2.5, 2)), ints(0)
    for model in (MultinomialBayes(**SIZE), GaussianBayes(**SIZE), Ridge(**SIZE)):
        refitted(model, rows, targets).removed(*stranger, operation="a")
    with pytest.raises(NeverAdded):
        refitted(Neighbours(**SIZE), rows, targets).removed(*stranger, operation="a")


@pytest.mark.parametrize("value", [np.inf, np.nan, LIMIT, -LIMIT])
def test_a_number_beyond_fixed_point_is_refused_by_column(value):
    with pytest.raises(BeyondFixedPoint, match="The column 1 holds a number that is infinite"):
        quantised(np.asarray([[0.0, value]]))


def test_a_quantised_number_is_the_nearest_and_comes_back_unchanged():
    numbers = np.asarray([0.1, -0.1, LIMIT - 1, 2**-17 + 2**-30, 2**-17])
    assert quantised(numbers).tolist() == [6554, -6554, (LIMIT - 1) * UNIT, 1, 0]
    assert np.array_equal(quantised(real(quantised(numbers))), quantised(numbers))


@pytest.mark.parametrize("model", [GaussianBayes(**SIZE), Ridge(**SIZE)], ids=named)
def test_sums_that_would_overflow_are_refused_before_they_do(model):
    full = of(*[(30000.0, 1.0, 0.0)])
    state = refitted(model, full, ints(0))
    with pytest.raises(BeyondFixedPoint, match=r"squares of column 0 would pass 2\^30"):
        state.added(full, ints(1))
    many = np.repeat(full, 1 << 6, axis=0)
    with pytest.raises(NeverAdded, match="cannot have been added"):
        state.removed(many, np.zeros(len(many), np.int64), operation="a")


def test_what_fits_below_the_limit_is_exact():
    rows = np.repeat(of((1023.9, -1023.9, 0.3)), 1000, axis=0)
    gram = refitted(Ridge(**SIZE), rows, np.zeros(1000, np.int64)).counters["gram"]
    exact = 1000 * np.outer(rows[0].astype(object), rows[0].astype(object))
    assert (gram[1:4, 1:4].astype(object) == exact).all()


@every_model
def test_records_of_another_shape_are_refused(model):
    state, (rows, targets) = State.of(model), records_for(model, 4)
    with pytest.raises(RowsDoNotFit, match=r"the model takes \(n, 3\)"):
        state.added(rows[:, :2], targets)
    with pytest.raises(RowsDoNotFit, match="There are 4 rows and 3 targets"):
        state.added(rows, targets[:3])
    with pytest.raises(RowsDoNotFit, match=r"Targets have the shape|know.* the classes 0 \.\. 2"):
        state.added(rows, np.full(4, 3))


def test_settings_that_make_no_model_are_refused():
    with pytest.raises(RowsDoNotFit, match=r"the widths \(2, 2\), which must"):
        MultinomialBayes(columns=3, outputs=2, groups=(2, 2))
    with pytest.raises(OutOfRange, match=r"Ridge\.penalty is -1"):
        Ridge(columns=3, outputs=2, penalty=-1)
    with pytest.raises(RowsDoNotFit, match="column 2 holds one, and must hold counts"):
        State.of(MultinomialBayes(**SIZE)).added(of((1, 1, -1)), ints(0))
