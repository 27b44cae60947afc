"""How hard records are for a model, among the others that it learned.

What a model is least sure of it has to learn by heart, and that is what leaks. So a certificate
says how hard its surrogates were, and covers records that are no harder.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from audits.core.certificate import HARDEST

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
    middle = float(np.median(scores))
    if not np.isfinite(middle):
        return HARDEST
    surer = float((others > middle).mean())
    return min(HARDEST, 1 + int(HARDEST * surer))
