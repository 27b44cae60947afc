"""Text that fits into the boxes of a picture."""

from __future__ import annotations

from functools import cache

from matplotlib.font_manager import FontProperties
from matplotlib.textpath import text_to_path

from audits.execution.printable import printable

_POINTS = 72.0
_LEFT_OUT = "\u2026"


def fitted(text: str, inches: float, points: float) -> str:
    """Return a text in one line of this width, its middle left out where it is too long."""
    text = printable(text)
    if width_of(text, points) <= inches:
        return text
    for length in range(len(text) - 1, 1, -1):
        head = (length + 1) // 2
        short = f"{text[:head]}{_LEFT_OUT}{text[len(text) - (length - head) :]}"
        if width_of(short, points) <= inches:
            return short
    return _LEFT_OUT


def width_of(text: str, points: float) -> float:
    """Return the width of a text in inches, in the face of all pictures."""
    width, _, _ = text_to_path.get_text_width_height_descent(text, _face(points), ismath=False)
    return float(width) / _POINTS


@cache
def _face(points: float) -> FontProperties:
    return FontProperties(family="DejaVu Sans", size=points)
