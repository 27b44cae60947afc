"""Which of several points no other one beats, and where they lie on a small picture."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, floor, log10
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

WIDTH, HEIGHT = 640, 384
LEFT, RIGHT, TOP, BOTTOM = 56, 24, 56, 64
STEPS = (0.05, 0.1, 0.2, 0.25, 0.5, 1.0)
MOST_TICKS = 5


@dataclass(frozen=True, kw_only=True)
class Point:
    """Something with a cost (> 0) and a harm (>= 0); less of both is better.

    ``hollow``: its harm was not measured and is 0 for another reason.
    """

    label: str
    cost: float
    harm: float
    hollow: bool = False


@dataclass(frozen=True, kw_only=True)
class Mark:
    """A point on the picture, in its pixels; ``number`` names it in the table."""

    number: int
    label: str
    x: float
    y: float
    hollow: bool
    best: bool


@dataclass(frozen=True, kw_only=True)
class Tick:
    """A value on an axis, and where it is."""

    text: str
    at: float


@dataclass(frozen=True, kw_only=True)
class Picture:
    """What a template draws as SVG; cost runs to the right on a logarithmic axis, harm upwards.

    ``front`` joins the points that no other one beats, as the ``points`` of a polyline.
    """

    marks: tuple[Mark, ...]
    front: str
    across: tuple[Tick, ...]
    up: tuple[Tick, ...]
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    right: int = WIDTH - RIGHT
    top: int = TOP
    bottom: int = HEIGHT - BOTTOM


def unbeaten(points: Sequence[Point]) -> list[bool]:
    """Return of each point whether no other is as good in both and better in one."""
    return [not any(_beats(other, one) for other in points) for one in points]


def picture(points: Sequence[Point]) -> Picture | None:
    """Lay points out; None where there is none.

    Raises:
        ValueError: a cost is not above 0, or a harm below it.
    """
    for one in points:
        if not (one.cost > 0 and one.harm >= 0):
            raise ValueError(
                f"{one.label} has cost {one.cost:g} and harm {one.harm:g}; a cost above 0 and a "
                "harm of 0 or more are allowed."
            )
    if not points:
        return None
    low = floor(log10(min(one.cost for one in points)))
    high = max(low + 1, ceil(log10(max(one.cost for one in points))))
    step = _step(max(one.harm for one in points))
    top = max(step, ceil(max(one.harm for one in points) / step - 1e-9) * step)

    def x(cost: float) -> float:
        share = (log10(cost) - low) / (high - low)
        return round(LEFT + share * (WIDTH - LEFT - RIGHT), 1)

    def y(harm: float) -> float:
        return round(HEIGHT - BOTTOM - harm / top * (HEIGHT - BOTTOM - TOP), 1)

    best = unbeaten(points)
    marks = tuple(
        Mark(
            number=number,
            label=one.label,
            x=x(one.cost),
            y=y(one.harm),
            hollow=one.hollow,
            best=good,
        )
        for number, (one, good) in enumerate(zip(points, best, strict=True), start=1)
    )
    front = sorted((mark for mark in marks if mark.best), key=lambda mark: (mark.x, -mark.y))
    return Picture(
        marks=marks,
        front=" ".join(f"{mark.x},{mark.y}" for mark in front),
        across=tuple(
            Tick(text=f"{10.0**power:g}", at=x(10.0**power)) for power in range(low, high + 1)
        ),
        up=tuple(
            Tick(text=f"{place * step:.3g}", at=y(place * step))
            for place in range(round(top / step) + 1)
        ),
    )


def _beats(one: Point, other: Point) -> bool:
    no_worse = one.cost <= other.cost and one.harm <= other.harm
    return no_worse and (one.cost < other.cost or one.harm < other.harm)


def _step(most: float) -> float:
    """Return the distance of ticks: the smallest round one that needs few of them."""
    return next((step for step in STEPS if most <= MOST_TICKS * step), float(ceil(most / 4)))
