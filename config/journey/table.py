"""The journey as a table for people."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

HEADER = ("", "scenario", "article", "what happened", "events")
WIDTHS = (4, 30, 8, 58, 24)


def table(rows: Sequence[dict[str, Any]]) -> str:
    """Return the scenarios with their article, what happened and the places in the log."""
    lines = [_line(HEADER)]
    for row in rows:
        events = ", ".join(str(place) for place in row["events"])
        cells = ("ok" if row["ok"] else "BAD", row["name"], row["article"], row["what"], events)
        wrapped = [
            textwrap.wrap(cell, width) or [""] for cell, width in zip(cells, WIDTHS, strict=True)
        ]
        height = max(len(cell) for cell in wrapped)
        lines += [
            _line([cell[at] if at < len(cell) else "" for cell in wrapped]) for at in range(height)
        ]
    return "\n".join(lines)


def _line(cells: Sequence[str]) -> str:
    padded = (cell.ljust(width) for cell, width in zip(cells, WIDTHS, strict=True))
    return "  ".join(padded).rstrip()
