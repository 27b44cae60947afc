"""How hard records are for a model, among the others that it learned.

What a model is least sure of it has to learn by heart, and that is what leaks. So a certificate
says how hard its surrogates were, and covers records that are no harder: neither in the middle nor
in any tenth, as a few hard records among easy ones are not seen in the middle.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from audits.core.certificate import HARDEST, QUANTILES

if TYPE_CHECKING:
    from numpy.typing import NDArray


def decile(scores: NDArray[np.float64], others: NDArray[np.float64]) -> int:
    """Return the decile of difficulty of some records, 1 for the easiest to 10 for the hardest.

    Args:
        scores: how sure the model is of each record, higher is surer, shape [k].
        others: the same of the other records that it learned, shape [n].

    Returns:
        The tenth of the others, the surest first, among which the median record lies. A score
        that is no number counts as the hardest.
    """
    return _tenth(float(np.median(scores)), others)


def profile(scores: NDArray[np.float64], others: NDArray[np.float64]) -> tuple[int, ...]:
    """Return the deciles in which nine quantiles of some records lie, the easiest tenth first.

    The fifth is ``decile``: quantiles between two records are interpolated, as a median is.

    Args:
        scores: how sure the model is of each record, higher is surer, shape [k]. Where one is no
            number all count as the hardest.
        others: the same of the other records that it learned, shape [n].
    """
    if not np.isfinite(scores).all():
        return (HARDEST,) * len(QUANTILES)
    return tuple(_tenth(float(np.quantile(scores, 1 - each)), others) for each in QUANTILES)


def _tenth(score: float, others: NDArray[np.float64]) -> int:
    if not np.isfinite(score):
        return HARDEST
    surer = float((others > score).mean())
    return min(HARDEST, 1 + int(HARDEST * surer))
