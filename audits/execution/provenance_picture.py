"""The picture of provenance: from data to versions, what each run did, and what became of them.

Drawn from the findings of a sealed case alone: who has the record can draw it again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.utils import translation
from django.utils.translation import gettext as _
from matplotlib.lines import Line2D
from matplotlib.patches import FancyBboxPatch, PathPatch
from matplotlib.path import Path

from audits.execution.pictured import fitted
from audits.execution.plots import drawing, svg_of
from audits.execution.provenance_graph import OTHERS, Layout, Way, arranged, ways_of
from audits.execution.provenance_words import (
    ENDS,
    MARKS,
    described,
    heads,
    legend,
    method_words,
    others_words,
    role_words,
    title,
    unknown_words,
    until_words,
    versions_words,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes

# Inches. The picture is as wide as the text of the report, so that its letters keep their size.
WIDTH, GAP, TOP, FOOT = 6.7, 0.3, 0.3, 0.2
ROW, MOST_OF_A_PAGE = 0.43, 9.0
EDGE, NARROW = 0.02, 0.85
BIG, SMALL = 7.0, 6.0  # points
INK, QUIET = "#262626", "#595959"


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """The axes, in inches from the top left corner, and how wide a column is."""

    axes: Axes
    columns: int
    row: float

    def wide(self, column: int) -> float:
        """Return the width of a box: those of data and of runs are a little narrower."""
        shares = [NARROW, *[1.0] * (self.columns - 3), NARROW, 1.0]
        return (WIDTH - GAP * (self.columns - 1) - 2 * EDGE) * shares[column] / sum(shares)

    def left(self, column: int) -> float:
        """Return where a column starts."""
        return EDGE + sum(self.wide(one) + GAP for one in range(column))

    def middle(self, row: float) -> float:
        """Return the height of a row's middle."""
        return TOP + (row + 0.5) * self.row

    @property
    def high(self) -> float:
        """Return the height of a box."""
        return 0.77 * self.row


def provenance_svg(findings: Mapping[str, Any], *, language: str = "en") -> bytes | None:
    """Draw how the records came to each affected version and what became of it, as SVG.

    Args:
        findings: of a sealed account.
        language: of the labels and of the description.

    Returns:
        None where no version is affected or of unknown membership: there is nothing to draw.
    """
    ways, unknown = ways_of(findings), len(findings["plan"].get("unknown", ()))
    if not ways and not unknown:
        return None
    layout = arranged(ways)
    rows = layout.rows + bool(unknown)
    columns = max(layout.columns, 2)
    row = min(ROW, (MOST_OF_A_PAGE - TOP - FOOT) / rows)
    height = TOP + rows * row + FOOT
    with translation.override(language), drawing((WIDTH, height)) as figure:
        figure.set_layout_engine("none")
        axes = figure.add_axes((0, 0, 1, 1))
        axes.set(xlim=(0, WIDTH), ylim=(height, 0))
        axes.set_axis_off()
        sheet = Sheet(axes=axes, columns=columns + 2, row=row)
        _heads(sheet, columns)
        _edges(sheet, layout)
        _boxes(sheet, layout, columns)
        if unknown:
            _unknown(sheet, layout.rows, unknown)
        indirect = any(edge[2] != "DIRECT" for edge in layout.edges)
        axes.text(EDGE, height - 0.05, legend(indirect=indirect), fontsize=SMALL, color=QUIET)
        words = described(ways, unknown, grouped=layout.grouped)
        return svg_of(figure, title=title(), description=words)


def _heads(sheet: Sheet, columns: int) -> None:
    for column, text in zip((0, 1, columns, columns + 1), heads(), strict=True):
        sheet.axes.text(
            sheet.left(column), 0.17, text, fontsize=SMALL, color=QUIET, fontweight="bold"
        )


def _edges(sheet: Sheet, layout: Layout) -> None:
    for source, target, influence in layout.edges:
        start, end = layout.places[source], layout.places[target]
        points = (
            (sheet.left(start.column) + sheet.wide(start.column), sheet.middle(start.row)),
            (sheet.left(start.column + 1) - 0.05, sheet.middle(end.row)),
            (sheet.left(end.column), sheet.middle(end.row)),
        )
        _arrow(sheet, points, "-" if influence == "DIRECT" else (0, (3, 2)))


def _arrow(sheet: Sheet, points: Sequence[tuple[float, float]], dashes: Any) -> None:  # noqa: ANN401
    """Draw a line that bends in the gap behind its start and then keeps to its row."""
    (x, y), (over, row), (end, _same) = points
    half = (x + over) / 2
    path = Path(
        [(x, y), (half, y), (half, row), (over, row), (end, row)],
        [Path.MOVETO, Path.CURVE4, Path.CURVE4, Path.CURVE4, Path.LINETO],
    )
    line = {"edgecolor": QUIET, "facecolor": "none", "linewidth": 0.8}
    sheet.axes.add_patch(PathPatch(path, linestyle=dashes, **line))
    tip = Path([(end - 0.06, row - 0.03), (end, row), (end - 0.06, row + 0.03)])
    sheet.axes.add_patch(PathPatch(tip, **line))


def _boxes(sheet: Sheet, layout: Layout, columns: int) -> None:
    for place in layout.places.values():
        if place.way is None:
            name = others_words() if place.name == OTHERS else place.name
            _box(sheet, place.column, place.row, (name, role_words(place.role)), shape="square")
            continue
        _box(sheet, place.column, place.row, _of_version(place.way, place.role), shape="round")
        _treated(sheet, place.way, place.column, place.row, columns)


def _of_version(way: Way, role: str) -> tuple[str, str]:
    if way.count > 1 or "\n" in way.name:
        return versions_words(way.count), ""
    parts = (str(way.records), role_words(role))
    return way.name, " · ".join(part for part in parts if part)


def _treated(sheet: Sheet, way: Way, column: int, row: float, columns: int) -> None:
    """Draw the run of a version as a pill on the line to what became of it."""
    y, start = sheet.middle(row), sheet.left(column) + sheet.wide(column)
    between = sheet.left(columns)
    if way.runs:
        _arrow(sheet, ((start, y), (start + 0.05, y), (between, y)), "-")
        _box(sheet, columns, row, method_words(way), shape="pill")
        start = between + sheet.wide(columns)
    end = sheet.left(columns + 1)
    _arrow(sheet, ((start, y), (start + 0.05, y), (end, y)), "-")
    lines = (_(ENDS[way.end]), way.became or (until_words(way.until) if way.until else ""))
    _box(sheet, columns + 1, row, lines, shape="end", indent=0.2)
    mark, filled = MARKS[way.end]
    face = INK if filled else "white"
    sheet.axes.add_line(
        Line2D([end + 0.11], [y], marker=mark, markersize=6, color=INK, markerfacecolor=face)
    )


_SHAPES: dict[str, dict[str, Any]] = {
    "square": {"boxstyle": "square,pad=0", "facecolor": "#e8eef2"},
    "round": {"boxstyle": "round,pad=0,rounding_size=0.08", "facecolor": "white"},
    "pill": {"boxstyle": "round,pad=0,rounding_size=0.16", "facecolor": "#f5f5f5"},
    "end": {"boxstyle": "square,pad=0", "facecolor": "white", "linewidth": 1.3},
    "unknown": {
        "boxstyle": "round,pad=0,rounding_size=0.08",
        "facecolor": "white",
        "linestyle": (0, (2, 2)),
        "hatch": "////",
    },
}


def _box(
    sheet: Sheet,
    column: int,
    row: float,
    lines: tuple[str, str],
    *,
    shape: str,
    indent: float = 0.06,
) -> None:
    x, y = sheet.left(column), sheet.middle(row)
    style = {"linewidth": 0.8, "edgecolor": INK, **_SHAPES[shape]}
    sheet.axes.add_patch(
        FancyBboxPatch((x, y - sheet.high / 2), sheet.wide(column), sheet.high, **style)
    )
    room = sheet.wide(column) - indent - 0.05
    heights = (-0.03, 0.11) if lines[1] else (0.035, 0.11)
    for text, down, size in zip(lines, heights, (BIG, SMALL), strict=True):
        if text:
            weight = {"bbox": {"facecolor": "white", "edgecolor": "none", "pad": 0.8}}
            behind = weight if shape == "unknown" else {}
            colour = INK if size == BIG else QUIET
            shown = fitted(text, room, size)
            sheet.axes.text(x + indent, y + down, shown, fontsize=size, color=colour, **behind)


def _unknown(sheet: Sheet, row: int, count: int) -> None:
    """Draw the versions of which not all data is known, by other lines than all others."""
    y, end = sheet.middle(row), sheet.left(1)
    sheet.axes.text(end - GAP - 0.12, y + 0.05, "?", fontsize=11, color=INK)
    _arrow(sheet, ((end - GAP, y), (end - GAP + 0.05, y), (end, y)), (0, (1, 2)))
    _box(sheet, 1, row, (versions_words(count), unknown_words()), shape="unknown")
