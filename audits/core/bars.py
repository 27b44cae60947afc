"""Bar charts as rectangles: what a template draws as SVG, without a library of plots.

Coordinates are in the units of a view box of ``WIDTH`` by ``HEIGHT``, y downwards.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

WIDTH, HEIGHT = 320.0, 120.0
GAP = 0.25  # of the width of a column
_LEAST = 1.5  # height of the smallest value that is not nothing, so that it is seen


@dataclass(frozen=True, kw_only=True)
class Bar:
    """One rectangle; ``tone`` is the class by which a style sheet colours it."""

    x: float
    y: float
    width: float
    height: float
    tone: str
    says: str


@dataclass(frozen=True, kw_only=True)
class Column:
    """The values over one label, by tone, stacked; a negative one is refused."""

    label: str
    values: Mapping[str, float]

    def __post_init__(self) -> None:
        if any(value < 0 for value in self.values.values()):
            raise ValueError(
                f"values of {self.label} are {dict(self.values)}; none may be below 0."
            )

    @property
    def total(self) -> float:
        """The height of the column in units of its values."""
        return sum(self.values.values())


def bars(columns: Sequence[Column], *, words: str = "{label}: {value:g}") -> tuple[Bar, ...]:
    """Return the rectangles of a chart whose highest column fills the box; empty without values.

    Args:
        columns: from left to right.
        words: what a pointer is told of a bar, from ``label``, ``tone`` and ``value``.
    """
    top = max((one.total for one in columns), default=0.0)
    if not top:
        return ()
    step = WIDTH / len(columns)
    return tuple(
        bar
        for place, one in enumerate(columns)
        for bar in _stack(one, place * step, step, top, words)
    )


def _stack(column: Column, x: float, step: float, top: float, words: str) -> list[Bar]:
    """Return the bars of one column, the first tone at the bottom, within the box."""
    found: list[Bar] = []
    base = HEIGHT
    for tone, value in column.values.items():
        if not value:
            continue
        height = min(max(_LEAST, value / top * HEIGHT), base)
        base -= height
        found.append(
            Bar(
                x=round(x + step * GAP / 2, 2),
                y=round(base, 2),
                width=round(step * (1 - GAP), 2),
                height=round(height, 2),
                tone=tone,
                says=words.format(label=column.label, tone=tone, value=value),
            )
        )
    return found
