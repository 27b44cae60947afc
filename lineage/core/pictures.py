"""Pictures of any size and format, made small enough to be compared."""

from __future__ import annotations

import io
import warnings
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF")  # none that starts another program
SIDE = 16
SHOWN = 128  # pixels, of a picture that somebody looks at


def thumbnail(content: bytes) -> NDArray[np.float32] | None:
    """Return the grey levels of a picture in 0..1, scaled to (16, 16); None if it is none."""

    def small(picture: Image.Image) -> Image.Image:
        return picture.convert("L").resize((SIDE, SIDE), Image.Resampling.BILINEAR)

    found = _read(content, small)
    return None if found is None else np.asarray(found, np.float32) / np.float32(255)


def small_png(content: bytes) -> bytes | None:
    """Return a picture as a PNG of at most 128 pixels a side; None if it is none.

    It is drawn anew: nothing else that the file held comes with it. One of a few pixels is
    enlarged, so that it can be seen.
    """
    found = _read(content, _to_look_at)
    if found is None:
        return None
    written = io.BytesIO()
    found.save(written, "PNG")
    return written.getvalue()


def _to_look_at(picture: Image.Image) -> Image.Image:
    drawn = picture.convert("RGBA" if picture.has_transparency_data else "RGB")
    longest = max(drawn.size)
    if longest > SHOWN:
        drawn.thumbnail((SHOWN, SHOWN))
        return drawn
    times = max(1, SHOWN // 2 // longest)
    width, height = drawn.size
    return drawn.resize((width * times, height * times), Image.Resampling.NEAREST)


def _read(content: bytes, make: Callable[[Image.Image], Image.Image]) -> Image.Image | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(content), formats=FORMATS) as picture:
                return make(picture)
    except Exception:  # noqa: BLE001  (damaged files lead its readers to any exception)
        return None
