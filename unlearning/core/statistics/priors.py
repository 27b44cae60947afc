"""How frequent each class is, as far as the records say."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from unlearning.core.statistics.counters import Integers

ABSENT = -1e30  # finite, and below every likelihood: a class without records is never predicted


def log_prior(records: Integers) -> NDArray[np.float64]:
    """Return the logarithm of each class's share of the records, (classes,)."""
    shares = records / max(1, int(records.sum()))
    return np.where(records > 0, np.log(np.maximum(shares, np.finfo(float).tiny)), ABSENT)
