"""Pictures of any size and format, made small enough to be compared."""

from __future__ import annotations

import io
import warnings
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from numpy.typing import NDArray

SIDE = 16


def thumbnail(content: bytes) -> NDArray[np.float32] | None:
    """Return the grey levels of a picture in 0..1, scaled to (16, 16); None if it is none."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(content)) as picture:
                small = picture.convert("L").resize((SIDE, SIDE), Image.Resampling.BILINEAR)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError, Warning):
        return None
    return np.asarray(small, np.float32) / np.float32(255)
