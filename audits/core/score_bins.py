"""The bins in which the scores of models are counted, for the picture and for its table."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Floats: TypeAlias = NDArray[np.float64]

BINS = 24


def bin_edges(values: Sequence[float]) -> Floats:
    """Return edges, shape [25], of bins that look equally wide on the axis that is drawn.

    The axis is linear about zero and logarithmic further out; zero is a border. ``values`` are
    finite, and at least one.
    """
    largest = max(map(abs, values))
    reach = max(float(np.log1p(largest)), 1.0)
    spread = np.linspace(-reach, reach, BINS + 1)
    edges = np.asarray(np.sign(spread) * np.expm1(np.abs(spread)), np.float64)
    # Rounded, the outermost value might lie past the outermost edge, and be counted nowhere.
    edges[0], edges[-1] = min(edges[0], -largest), max(edges[-1], largest)
    return edges


def counted(values: Sequence[float], edges: Floats) -> list[int]:
    """Return how many values lie in each bin, each bin without its upper edge but the last."""
    return [int(count) for count in np.histogram(values, bins=edges)[0]]
