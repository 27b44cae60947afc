"""The part of the graph around one version: what it came from and what came from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lineage.queries.edges import edges_above, edges_below
from lineage.queries.nodes import Shown, nodes_of, shown

if TYPE_CHECKING:
    from lineage.core.graph import Edge
    from lineage.models import ModelVersion

_NOTHING = ""  # no edge has this influence, so none is left out of a picture


@dataclass(frozen=True, kw_only=True)
class GraphView:
    """The neighbourhood of a version, for a page or an export."""

    centre: int
    ancestors: tuple[Shown, ...]
    descendants: tuple[Shown, ...]
    edges: tuple[Edge, ...]


def graph_view(version: ModelVersion) -> GraphView:
    """Return all ancestors and descendants of a version, with every edge between them."""
    centre = nodes_of([version.id])[version.id]
    above = edges_above([centre], without=_NOTHING)
    below = edges_below([centre], without=_NOTHING)
    table = shown({edge.src for edge in above} | {edge.dst for edge in below})
    return GraphView(
        centre=centre,
        ancestors=tuple(table[node] for node in sorted({edge.src for edge in above})),
        descendants=tuple(table[node] for node in sorted({edge.dst for edge in below})),
        edges=tuple(sorted({*above, *below})),
    )
