"""The picture of the graph in words: the rows of a table that says the same."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from lineage.models import Role

if TYPE_CHECKING:
    from collections.abc import Sequence
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
class Row:
    """A node in words.

    ``sources`` and ``readers`` are the first of its neighbours, ``more_*`` how many others there
    are; ``address`` leads on, ``open_address`` and ``fold_address`` change what is drawn.
    """

    box: Box
    where: str
    sources: tuple[Beside, ...]
    readers: tuple[Beside, ...]
    more_sources: int
    more_readers: int
    address: str
    open_address: str
    fold_address: str

    @property
    def page(self) -> UUID | None:
        """The id of the version whose page says more."""
        node = self.box.node
        alone = len(node.members) == 1 and node.first.dataset is None
        return node.first.object_id if alone else None

    @property
    def opens(self) -> str:
        """What opening it shows."""
        data = self.box.node.first.dataset
        return _("Open its snapshots") if data else _("Open its models")

    @property
    def leads(self) -> bool:
        """Whether there is anywhere to go from it."""
        centred = bool(self.address) and bool(self.box.node.hops)
        return bool(self.open_address or self.fold_address or centred)


def rows_of(picture: Picture, query: Query) -> list[Row]:
    """Return the nodes from the centre outwards: what they learned from, then where they went."""
    boxes = {box.node.name: box for box in picture.boxes}
    into: dict[str, list[Line]] = defaultdict(list)
    out: dict[str, list[Line]] = defaultdict(list)
    for stroke in sorted(picture.strokes, key=lambda one: (one.line.source, one.line.target)):
        into[stroke.line.target].append(stroke.line)
        out[stroke.line.source].append(stroke.line)
    found = []
    for box in sorted(picture.boxes, key=_order):
        node = box.node
        sources = [_beside(boxes[line.source], line) for line in into[node.name]]
        readers = [_beside(boxes[line.target], line) for line in out[node.name]]
        found.append(
            Row(
                box=box,
                where=_where(node),
                sources=tuple(sources[:NAMED]),
                readers=tuple(readers[:NAMED]),
                more_sources=len(sources[NAMED:]),
                more_readers=len(readers[NAMED:]),
                address=address_of(node, query),
                open_address=query.with_open(node.opens, opened=True) if node.opens else "",
                fold_address=query.with_open(node.folds, opened=False) if node.folds else "",
            )
        )
    return found


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


def _beside(box: Box, line: Line) -> Beside:
    roles = ", ".join(_(Role(role).label.lower()) for role in line.roles)
    return Beside(title=box.title, name=box.node.name, roles=roles)


def folded_count(boxes: Sequence[Box]) -> int:
    """Return how many nodes are behind those that are drawn."""
    return sum(len(box.node.members) for box in boxes)
