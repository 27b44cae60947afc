"""The picture of the graph in words: the rows of a table that says the same."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from lineage.models import Role

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from uuid import UUID

    from lineage.queries.explorer import Line, Node
    from lineage.views.graph_picture import Box, Picture
    from lineage.views.graph_query import Query

NAMED = 4  # neighbours that a cell names
SHORT_INFLUENCE = {"DIRECT": "direct", "INDIRECT": "indirect", "NONE": "followed"}


@dataclass(frozen=True, kw_only=True)
class Beside:
    """A neighbour in the picture, and what it was used for."""

    title: str
    name: str
    roles: str


@dataclass(frozen=True, kw_only=True)
class Side:
    """The first neighbours on one side, under the heading of their column, and how many more."""

    heading: str
    beside: tuple[Beside, ...]
    more: int


@dataclass(frozen=True, kw_only=True)
class Row:
    """A node in words; ``links`` are queries that lead on or change what is drawn, with words."""

    box: Box
    where: str
    sides: tuple[Side, Side]
    links: tuple[tuple[str, str], ...]

    @property
    def page(self) -> UUID | None:
        """The id of the version whose page says more."""
        node = self.box.node
        alone = len(node.members) == 1 and node.first.dataset is None
        return node.first.object_id if alone else None


def rows_of(picture: Picture, query: Query) -> list[Row]:
    """Return the nodes from the centre outwards: what they learned from, then where they went."""
    boxes = {box.node.name: box for box in picture.boxes}
    into: dict[str, list[Line]] = defaultdict(list)
    out: dict[str, list[Line]] = defaultdict(list)
    for stroke in sorted(picture.strokes, key=lambda one: (one.line.source, one.line.target)):
        into[stroke.line.target].append(stroke.line)
        out[stroke.line.source].append(stroke.line)
    learned, used = _("Learned from"), _("Used in")
    found = []
    for box in sorted(picture.boxes, key=_order):
        node = box.node
        sources = [(boxes[line.source], line) for line in into[node.name]]
        readers = [(boxes[line.target], line) for line in out[node.name]]
        found.append(
            Row(
                box=box,
                where=_where(node),
                sides=(_side(learned, sources), _side(used, readers)),
                links=tuple(_links(node, query)),
            )
        )
    return found


def _links(node: Node, query: Query) -> Iterator[tuple[str, str]]:
    if node.opens:
        opens = _("Open its snapshots") if node.first.dataset else _("Open its models")
        yield query.with_open(node.opens, opened=True), opens
    if node.folds:
        yield query.with_open(node.folds, opened=False), _("Fold again")
    if node.hops and (address := address_of(node, query)):
        yield address, _("Centre")


def address_of(node: Node, query: Query) -> str:
    """Return the query of the picture around a node, as of the same day; empty for a group."""
    on = query.values.get("on", "")
    if node.first.dataset is not None:
        return query.but(data=str(node.first.dataset), version="", person="", open="", q="", on=on)
    if len(node.members) > 1:
        return ""
    return query.but(version=str(node.first.object_id), data="", person="", open="", q="", on=on)


def _order(box: Box) -> tuple[bool, int, str, str]:
    hops = box.node.hops
    return hops > 0, abs(hops), box.title, box.node.name


def _where(node: Node) -> str:
    steps = abs(node.hops)
    if node.possible:
        return _("Possibly affected")
    if not steps:
        return _("Here")
    if node.hops < 0:
        said = ngettext("%(count)s step up", "%(count)s steps up", steps)
    else:
        said = ngettext("%(count)s step down", "%(count)s steps down", steps)
    return said % {"count": steps}


def _side(heading: str, neighbours: Sequence[tuple[Box, Line]]) -> Side:
    return Side(
        heading=heading,
        beside=tuple(_beside(box, line) for box, line in neighbours[:NAMED]),
        more=len(neighbours[NAMED:]),
    )


def _beside(box: Box, line: Line) -> Beside:
    roles = ", ".join(_(Role(role).label.lower()) for role in line.roles)
    return Beside(title=box.title, name=box.node.name, roles=roles)


def folded_count(boxes: Sequence[Box]) -> int:
    """Return how many nodes are behind those that are drawn."""
    return sum(len(box.node.members) for box in boxes)
