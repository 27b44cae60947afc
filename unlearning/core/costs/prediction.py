"""A predicted cost beside the actual one, in sample visits."""

from __future__ import annotations

from dataclasses import dataclass

from unlearning.core.costs.checks import NotPossible, whole


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Sample visits; ``error_percent`` is positive where too many were predicted."""

    predicted: int
    actual: int
    error_percent: float


def compared(*, predicted: int, actual: int) -> Comparison:
    """Return how far a prediction was from what was counted, in percent of the latter.

    Raises:
        NotPossible: a count is negative, or visits were predicted and none was made, of which no
            percentage is defined.
    """
    whole("predicted", predicted, 0)
    whole("actual", actual, 0)
    if predicted and not actual:
        raise NotPossible(
            f"actual is 0 sample visits where {predicted} were predicted; an error in percent "
            "needs at least one visit."
        )
    error = 100 * (predicted - actual) / actual if actual else 0.0
    return Comparison(predicted=predicted, actual=actual, error_percent=error)
