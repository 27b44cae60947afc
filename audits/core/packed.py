"""Arrays of many margins as short text: JSON digits would take more than three times the room."""

from __future__ import annotations

from base64 import b64decode, b64encode
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    Floats: TypeAlias = NDArray[np.float64]

SINGLE = "<f4"  # seven digits, of margins that differ between two trainings in the first or second


def packed(values: Floats) -> dict[str, Any]:
    """Return an array of any shape in single precision, as JSON can hold it.

    What is read again is what is judged and committed to, so no later step sees more digits.
    """
    with np.errstate(over="ignore"):  # beyond single precision is infinite, and refused as such
        single = values.astype(SINGLE)
    return {"f32": b64encode(single.tobytes()).decode(), "shape": list(values.shape)}


def unpacked(value: Mapping[str, Any]) -> Floats:
    """Return the array, in double precision.

    Raises:
        KeyError: it is not what ``packed`` wrote.
        ValueError: its length does not fit its shape.
    """
    found = np.frombuffer(b64decode(value["f32"], validate=True), SINGLE)
    return found.reshape(value["shape"]).astype(np.float64)
