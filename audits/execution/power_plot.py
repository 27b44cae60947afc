"""What an audit can show with so many models, and what more of them would bring.

Drawn from the kept numbers and the policy, so that anybody who has both can draw it again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from matplotlib.ticker import FixedLocator, FuncFormatter, NullFormatter, NullLocator

from audits.core.power_curve import power_curve
from audits.execution.plots import COLOURS, DASHES, drawing, svg_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

    from audits.core.estimates import Level
    from audits.core.kept import Kept
    from audits.core.policy import EvidencePolicy
    from audits.core.power_curve import Point

TITLE = "What an audit with so many models can show"
INCHES = (4.2, 2.5)  # of one level
APART = 1.6  # one number on the axis and the next, at least
NAMES = {"record_average": "Average over the records", "subject": "The person as a whole"}


def power_svg(kept: Kept, policy: EvidencePolicy) -> bytes | None:
    """Draw the smallest bound and the detectable advantage against models per arm, as SVG.

    One panel for each level that decides and whose power is known, its margin a line across.
    None where there is no such level.
    """
    curves = power_curve(kept, policy)
    if not curves:
        return None
    with drawing((INCHES[0], INCHES[1] * len(curves) + 0.3)) as figure:
        panels = figure.subplots(len(curves), 1, sharex=True, squeeze=False)[:, 0]
        for axes, (level, points) in zip(panels, curves.items(), strict=True):
            _panel(axes, level, points, policy.margin(level), kept.models_per_arm)
        panels[0].legend(
            loc="lower left", bbox_to_anchor=(-0.02, 1.1), ncols=2, fontsize=8, frameon=False
        )
        panels[-1].set_xlabel("Shadow models per arm")
        words = [_words(level, points, policy.margin(level)) for level, points in curves.items()]
        return svg_of(figure, title=TITLE, description=" ".join(words))


def _panel(axes: Axes, level: Level, points: Sequence[Point], margin: float, taken: int) -> None:
    sizes = [one.models_per_arm for one in points]
    bounds = [one.power.smallest_bound for one in points]
    seen = [(one.models_per_arm, one.power.detectable) for one in points]
    last = max(one.models_per_arm for one in points if one.planned)
    axes.axvspan(last, sizes[-1] * 1.2, color="#f0f0f0", linewidth=0, label="beyond the policy")
    axes.axvline(taken, color="#8a8a8a", linewidth=2.5, alpha=0.5, label="this look")
    axes.axhline(margin, color="#404040", linewidth=0.9, linestyle=(0, (1, 1.5)), label="margin")
    axes.plot(sizes, bounds, color=COLOURS[0], marker="o", markersize=4, label="ruled out at best")
    found = [(size, value) for size, value in seen if value is not None]
    if found:
        style = {"marker": "s", "markersize": 4, "linestyle": DASHES[1]}
        at, values = zip(*found, strict=True)
        axes.plot(at, values, color=COLOURS[1], label="found in 80 % of audits", **style)
    axes.set_title(NAMES.get(level.value, level.words), fontsize=9, loc="left")
    axes.set_xscale("log", base=2)
    axes.set(xlim=(sizes[0] / 1.2, sizes[-1] * 1.2), ylim=(0, 1), ylabel="Advantage")
    axes.xaxis.set_major_locator(FixedLocator(_labelled(sizes)))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.grid(visible=True, axis="y", color="#d9d9d9", linewidth=0.6)
    axes.set_axisbelow(True)


def _labelled(sizes: Sequence[int]) -> list[int]:
    """Return as many of the numbers as an axis has room for, the last of them always."""
    kept: list[int] = []
    for size in reversed(sizes):
        if not kept or size * APART <= kept[0]:
            kept.insert(0, size)
    return kept


def _words(level: Level, points: Sequence[Point], margin: float) -> str:
    shown = set(_labelled([one.models_per_arm for one in points]))
    told = "; ".join(_told(one) for one in points if one.models_per_arm in shown)
    name = NAMES.get(level.value, level.words)
    if any(one.power.detectable is not None for one in points):
        return f"{name}, margin {margin:.2f}: {told}."
    return f"{name}, margin {margin:.2f}: {told}. The advantage that is found was not computed."


def _told(one: Point) -> str:
    power, beyond = one.power, "" if one.planned else " (beyond the policy)"
    size = f"{one.models_per_arm} models per arm{beyond}"
    told = f"{size} rule out {power.smallest_bound:.2f} at best"
    if power.detectable is None:
        return told
    return f"{told} and find {power.detectable:.2f} in 80 % of audits"
