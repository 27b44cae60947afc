"""How far apart the models lie: one value per shadow model, before and after unlearning.

Drawn from the numbers that are kept, so that anybody who has the record can draw it again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullFormatter

from audits.core.score_bins import bin_edges
from audits.execution.plots import COLOURS, drawing, svg_of

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from audits.core.kept import Kept, KeptContrast

    Floats: TypeAlias = NDArray[np.float64]

TITLE = "What the attack says of each shadow model"
INCHES = (4.2, 4.6)
TICKS = [sign * size for size in (1.0, 10.0, 100.0, 1000.0, 10000.0) for sign in (-1.0, 1.0)] + [
    0.0
]
STAGES = ("before", "leak")
NAMES = {
    "before": ("Before unlearning", "learned the records"),
    "leak": ("After unlearning", "learned, then unlearned them"),
}


def histogram_svg(kept: Kept) -> bytes:
    """Draw the summed log-likelihood ratio of every judged model, one panel per stage, as SVG.

    Right of zero the attack says "learned". The axis is linear up to 1 and logarithmic beyond.
    """
    found = [(stage, getattr(kept, stage)) for stage in STAGES]
    edges = bin_edges([value for _, one in found for value in (*one.subject_in, *one.subject_out)])
    with drawing(INCHES) as figure:
        panels = figure.subplots(len(found), 1, sharex=True)
        for axes, (stage, one) in zip(panels, found, strict=True):
            _panel(axes, stage, one, edges)
        panels[-1].set_xlabel("Log-likelihood ratio, summed over the records")
        words = " ".join(_words(stage, one) for stage, one in found)
        return svg_of(figure, title=TITLE, description=words)


def _panel(axes: Axes, stage: str, one: KeptContrast, edges: Floats) -> None:
    title, learned = NAMES[stage]
    axes.set_xscale("symlog", linthresh=1.0)
    bins = list(edges)
    axes.hist(one.subject_out, bins=bins, label="never saw them", color=COLOURS[0], alpha=0.45)
    axes.hist(
        one.subject_in, bins=bins, label=learned, color=COLOURS[1], histtype="step", linewidth=1.8
    )
    axes.axvline(0.0, color="#404040", linewidth=0.8, linestyle=(0, (4, 2)))
    axes.set_title(title, fontsize=9, loc="left", pad=20)
    axes.set_ylabel("Models")
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    axes.xaxis.set_major_locator(FixedLocator(TICKS))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_xlim(edges[0], edges[-1])
    axes.legend(loc="lower left", bbox_to_anchor=(-0.02, 0.99), ncols=2, fontsize=8, frameon=False)


def _words(stage: str, one: KeptContrast) -> str:
    title, learned = NAMES[stage]
    said = sum(value > 0 for value in one.subject_in)
    accused = sum(value > 0 for value in one.subject_out)
    return (
        f"{title}: the attack says learned of {said} of {one.n_in} models that {learned}, and of "
        f"{accused} of {one.n_out} that never saw them."
    )
