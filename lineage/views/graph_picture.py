"""Where the boxes and lines of the graph lie, in pixels, and what is written in them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from django.contrib.humanize.templatetags.humanize import intcomma
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from lineage.models import ModelVersion
from lineage.queries.graph_facts import SNAPSHOT

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from lineage.core.layered import Place
    from lineage.queries.explorer import Explored, Line, Node

WIDTH, HEIGHT = 208, 46
COLUMN, ROW = 284, 62
MARGIN = 14
_LETTERS = 25  # that fit into a box
_KIND = ModelVersion.Kind


@dataclass(frozen=True, kw_only=True)
class Box:
    """A node, its upper left corner, and its words."""

    node: Node
    x: int
    y: int
    title: str
    note: str
    tone: str

    @property
    def short(self) -> str:
        """The title as far as it fits."""
        return self.title if len(self.title) <= _LETTERS else f"{self.title[: _LETTERS - 1]}…"

    @property
    def middle(self) -> int:
        """The middle of its height."""
        return self.y + HEIGHT // 2

    @property
    def many(self) -> bool:
        """Whether it stands for several."""
        return len(self.node.members) > 1

    @property
    def whole(self) -> str:
        """Everything that is written in it."""
        return f"{self.title}: {self.note}"


@dataclass(frozen=True, kw_only=True)
class Stroke:
    """A line with its course as the data of an SVG path."""

    line: Line
    path: str
    points: tuple[tuple[int, int], ...]

    @property
    def tone(self) -> str:
        """The classes that it is drawn with."""
        influence = self.line.influence
        kind = "followed" if influence == "NONE" else influence.lower()
        return f"line {kind} way" if self.line.on_way else f"line {kind}"

    @property
    def tip(self) -> str:
        """The name of the arrow at its end."""
        return "tip-way" if self.line.on_way else "tip"


@dataclass(frozen=True, kw_only=True)
class Picture:
    """All of it; ``width`` and ``height`` in pixels."""

    boxes: tuple[Box, ...]
    strokes: tuple[Stroke, ...] = field(repr=False)
    width: int
    height: int


def pictured(explored: Explored) -> Picture:
    """Return the boxes and lines of what was explored."""
    boxes = {node.name: _box(node) for node in explored.nodes}
    strokes = [_stroke(line, boxes[line.source], boxes[line.target]) for line in explored.lines]
    # The way that was asked for lies above the others.
    strokes.sort(key=lambda stroke: stroke.line.on_way)
    return Picture(
        boxes=tuple(boxes.values()),
        strokes=tuple(strokes),
        width=max((box.x + WIDTH for box in boxes.values()), default=0) + MARGIN,
        height=max((box.y + HEIGHT for box in boxes.values()), default=0) + MARGIN,
    )


def title_of(node: Node) -> str:
    """Return what a node is called: a family by its data set, a group by what it counts."""
    count = len(node.members)
    if count == 1:
        return node.first.label
    if node.first.dataset is not None:
        return node.first.dataset_name
    said = {
        SNAPSHOT: ngettext("%(count)s snapshot", "%(count)s snapshots", count),
        _KIND.MODEL: ngettext("%(count)s model version", "%(count)s model versions", count),
        _KIND.COMPONENT: ngettext("%(count)s component", "%(count)s components", count),
        _KIND.SHADOW: ngettext("%(count)s shadow model", "%(count)s shadow models", count),
    }
    return said[node.first.kind] % {"count": intcomma(count)}


def note_of(node: Node) -> str:
    """Return what is most worth knowing about a node, in a few words."""
    return ", ".join(_notes(node))


def _notes(node: Node) -> Iterable[str]:
    count, first = len(node.members), node.first
    if count > 1 and first.dataset is not None:
        said = ngettext("%(count)s snapshot", "%(count)s snapshots", count)
        yield said % {"count": intcomma(count)}
    elif count > 1:
        yield _("same neighbours")
    elif first.kind == SNAPSHOT:
        said = ngettext("%(count)s record", "%(count)s records", first.records)
        yield said % {"count": intcomma(first.records)}
    elif first.kind == _KIND.SHADOW:
        yield _("shadow model")
    elif not node.unknown:
        yield _(SHORT[first.state])
    if node.unknown:
        yield _("not captured")
    if node.touched:
        yield _("%(count)s of theirs") % {"count": intcomma(node.touched)}


SHORT = {
    ModelVersion.State.CANDIDATE: "candidate",
    ModelVersion.State.ACTIVE: "active",
    ModelVersion.State.WITHDRAWN: "withdrawn",
    ModelVersion.State.QUARANTINED: "quarantined",
    ModelVersion.State.DESTROYED: "destroyed",
    "": "not ended yet",
}


def _box(node: Node) -> Box:
    x, y = _corner(node.place)
    return Box(node=node, x=x, y=y, title=title_of(node), note=note_of(node), tone=_tone(node))


def _tone(node: Node) -> str:
    """Return the classes that a node is drawn with."""
    kind = "data" if node.first.kind == SNAPSHOT else node.first.kind.lower()
    marks = {
        "many": len(node.members) > 1,
        "unknown": node.unknown,
        "touched": bool(node.touched),
        "way": node.on_way,
        "gone": node.first.state == ModelVersion.State.DESTROYED,
    }
    return " ".join([kind, *(name for name, holds in marks.items() if holds)])


def _corner(place: Place) -> tuple[int, int]:
    return MARGIN + place.layer * COLUMN, MARGIN + round(place.row * ROW)


def _stroke(line: Line, source: Box, target: Box) -> Stroke:
    """Return a line from the right of a box to the left of another, over what it passes."""
    points = [(source.x + WIDTH, source.middle)]
    for place in line.between:
        x, y = _corner(place)
        ends = [(x, y + HEIGHT // 2), (x + WIDTH, y + HEIGHT // 2)]
        points += ends[::-1] if line.back else ends
    points.append((target.x, target.middle))
    return Stroke(line=line, path=_curve(points), points=tuple(points[1:-1]))


def _curve(points: Sequence[tuple[int, int]]) -> str:
    """Return curves between columns and straight lines across them."""
    (x, y), *rest = points
    parts = [f"M{x} {y}"]
    for at, (to_x, to_y) in enumerate(rest):
        half = (to_x - x) // 2
        straight = at % 2 == 1
        parts.append(
            f"L{to_x} {to_y}"
            if straight
            else f"C{x + half} {y} {to_x - half} {to_y} {to_x} {to_y}"
        )
        x, y = to_x, to_y
    return "".join(parts)
