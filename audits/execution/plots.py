"""Pictures for evidence: the same numbers give the same bytes, so that a digest can name them."""

from __future__ import annotations

import io
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import cycle
from typing import TYPE_CHECKING, Any, TypeAlias

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullFormatter

from audits.core.roc import NEGATIVES_PER_RATE
from audits.execution.printable import printable
from audits.execution.svg_styles import attributed
from audits.execution.svg_text import described

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from audits.core.roc import Band, Roc

    Floats: TypeAlias = NDArray[np.float64]

LOWEST = 1e-3
QUOTED = (0.01, 0.1)  # the false positive rates that the description names

# Okabe and Ito's colours, told apart by every common form of colour blindness; the dashes tell
# the curves apart without any colour.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7")
DASHES: tuple[Any, ...] = ("-", (0, (5, 2)), (0, (1, 1.5)), (0, (6, 2, 1, 2)))

# At 390 pixels of width these points are about as large as the text around them.
_STYLE: dict[Any, Any] = {
    "svg.hashsalt": "expunge",  # else every run names its clip paths anew
    "svg.fonttype": "path",
    "text.parse_math": False,
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "axes.unicode_minus": False,
    "hatch.linewidth": 0.4,
    "hatch.color": "#8a8a8a",
}
_INCHES = (4.2, 4.0)


class NothingToDraw(ValueError):
    """There is no curve."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Curve:
    """One line of the plot: what it is called in the legend, its rates, how sure they are."""

    label: str
    roc: Roc
    band: Band | None = None


def roc_svg(curves: Sequence[Curve], *, title: str) -> bytes:
    """Draw ROC curves on log axes from 0.1 %, after Carlini et al. 2022.

    Where fewer than three false positives are to be expected from the independent negatives, the
    rate cannot be assessed; that region is hatched and says so.

    Raises:
        NothingToDraw: no curves were given.
    """
    if not curves:
        raise NothingToDraw("curves is empty; a plot needs at least one.")
    with drawing(_INCHES) as figure:
        axes = figure.add_subplot()
        _frame(axes, printable(title))
        _draw(axes, curves)
        _hatch(axes, _assessable_from(curves))
        axes.legend(loc="lower right", fontsize=8, framealpha=0.95, handlelength=3)
        return svg_of(figure, title=title, description=_describe(curves))


@contextmanager
def drawing(inches: tuple[float, float]) -> Iterator[Figure]:
    """Open an empty figure in the style of the house."""
    with mpl.rc_context(_STYLE):
        yield Figure(figsize=inches, layout="constrained")


def svg_of(figure: Figure, *, title: str, description: str) -> bytes:
    """Return a figure as SVG with a name and a description for those who do not see it."""
    file = io.StringIO()
    figure.savefig(file, format="svg", metadata={"Date": None, "Creator": None})
    words = described(attributed(file.getvalue()), title=printable(title), description=description)
    return words.encode()


def _assessable_from(curves: Sequence[Curve]) -> float:
    fewest = min(curve.roc.negatives for curve in curves)
    return min(1.0, NEGATIVES_PER_RATE / max(fewest, 1))


def _frame(axes: Axes, title: str) -> None:
    axes.set(xscale="log", yscale="log", xlim=(LOWEST, 1), ylim=(LOWEST, 1))
    axes.set(xlabel="False positive rate", ylabel="True positive rate")
    axes.set_title(title, fontsize=9, loc="left", wrap=True)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(FuncFormatter(lambda rate, _: f"{100 * rate:g} %"))
        axis.set_minor_formatter(NullFormatter())
    axes.grid(visible=True, which="major", color="#d9d9d9", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.plot([LOWEST, 1], [LOWEST, 1], color="#595959", linewidth=0.8, label="Coin toss")


def _hatch(axes: Axes, start: float) -> None:
    """Lay a hatched veil over the rates that so few negatives cannot show."""
    if start > LOWEST:
        axes.axvspan(
            LOWEST,
            start,
            facecolor="#f0f0f0",
            edgecolor="#8a8a8a",
            hatch="///",
            alpha=0.7,
            zorder=3,
            label="Not assessable: too few negatives",
        )


def _draw(axes: Axes, curves: Sequence[Curve]) -> None:
    for curve, (colour, dashes) in zip(curves, _looks(), strict=False):
        if curve.band is not None:
            low, high = (np.maximum(rate, LOWEST) for rate in (curve.band.low, curve.band.high))
            axes.fill_between(curve.band.fpr, low, high, color=colour, alpha=0.18, linewidth=0)
        fpr, tpr = _visible(curve.roc)
        axes.plot(
            fpr,
            tpr,
            color=colour,
            linestyle=dashes,
            linewidth=1.8,
            drawstyle="steps-post",
            label=printable(curve.label),
        )


def _looks() -> Iterator[tuple[str, Any]]:
    return zip(cycle(COLOURS), cycle(DASHES), strict=False)


def _visible(roc: Roc) -> tuple[Floats, Floats]:
    """Return the rates with zeros moved to the border: they have no place on a log axis."""
    return np.maximum(roc.fpr, LOWEST), np.maximum(roc.tpr, LOWEST)


def _describe(curves: Sequence[Curve]) -> str:
    sentences = ["ROC curves on logarithmic axes."]
    sentences += [_sentence(curve) for curve in curves]
    if any(curve.band is not None for curve in curves):
        sentences.append("Bands are 95 % bootstrap intervals over models.")
    start = _assessable_from(curves)
    if start > LOWEST:
        sentences.append(
            f"Below a false positive rate of {100 * start:.2g} % there are too few negatives to "
            "assess."
        )
    return " ".join(sentences)


def _sentence(curve: Curve) -> str:
    found = [(rate, curve.roc.tpr_at(rate)) for rate in QUOTED]
    rates = ", ".join(
        f"{100 * tpr:.1f} % true positives at {100 * rate:g} % false positives"
        if tpr is not None
        else f"not assessable at {100 * rate:g} % false positives"
        for rate, tpr in found
    )
    return f"{printable(curve.label)}: area {curve.roc.auc:.3f}; {rates}."
