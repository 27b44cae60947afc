"""A prediction is compared with what was counted."""

from __future__ import annotations

import pytest

from unlearning.core.costs.checks import NotPossible
from unlearning.core.costs.prediction import compared


@pytest.mark.parametrize(
    ("predicted", "actual", "percent"), [(110, 100, 10), (95, 100, -5), (7, 7, 0), (0, 0, 0)]
)
def test_the_error_is_a_percentage_of_the_actual_visits(predicted, actual, percent):
    found = compared(predicted=predicted, actual=actual)
    assert found.error_percent == pytest.approx(percent)
    assert (found.predicted, found.actual) == (predicted, actual)


def test_no_percentage_of_nothing_is_told():
    with pytest.raises(NotPossible, match="actual is 0 sample visits where 5 were predicted"):
        compared(predicted=5, actual=0)
    with pytest.raises(NotPossible, match="actual is -1; it must be a whole number of at least 0"):
        compared(predicted=5, actual=-1)
