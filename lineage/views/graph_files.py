"""The graph as files: for the drawing in the browser, as a picture, as PROV and as tables."""

from __future__ import annotations

import csv
import io
import json
from functools import wraps
from typing import TYPE_CHECKING, Any

from django.http import HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import override

from lineage.core.plain_cell import plain_cell
from lineage.models import Role
from lineage.queries.explorer import explore
from lineage.queries.prov import prov_document, prov_items
from lineage.queries.prov_part import Part
from lineage.views.access import reading
from lineage.views.graph_picture import HEIGHT, WIDTH, pictured
from lineage.views.graph_query import read_query
from lineage.views.graph_rows import SHORT_INFLUENCE, address_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from django.http import HttpRequest

    from lineage.queries.explorer import Explored
    from lineage.views.graph_picture import Box, Stroke
    from lineage.views.graph_query import Query

NODES = (
    *("name", "kind", "label", "members", "hops", "not_captured", "possibly_affected"),
    *("records_of_the_person", "state", "layer", "row"),
)
EDGES = (
    *("source", "target", "source_label", "target_label", "roles", "influence", "edges"),
    "on_way",
)


def in_english(view: Callable[[HttpRequest], HttpResponse]) -> Callable[..., HttpResponse]:
    """Write a file in English: it is read by programs, and by whoever it is handed to."""

    @wraps(view)
    def written(request: HttpRequest) -> HttpResponse:
        with override("en"):
            return view(request)

    return written


@reading
def graph_json(request: HttpRequest) -> HttpResponse:
    """Give nodes with their positions, edges and groups, as the drawing in the browser reads."""
    query = read_query(request.GET, now=timezone.now())
    if query.problems:
        return JsonResponse({"problems": list(query.problems)}, status=404)
    explored = _explored(query)
    picture = pictured(explored)
    return JsonResponse(
        {
            "nodes": [_node(box, query) for box in picture.boxes],
            "edges": [_edge(stroke) for stroke in picture.strokes],
            "groups": {
                node.name: [str(one.object_id) for one in node.members]
                for node in explored.nodes
                if len(node.members) > 1
            },
            "left_out": len(explored.left_out),
            "unknown_left_out": explored.unknown_left_out,
            "box": {"width": WIDTH, "height": HEIGHT},
        }
    )


@reading
@in_english
def graph_svg(request: HttpRequest) -> HttpResponse:
    """Give the picture as one file that looks the same anywhere."""
    query, explored = _asked(request)
    if query.problems:
        return _refused(query)
    context = {"picture": pictured(explored), "width": WIDTH, "height": HEIGHT, "alone": True}
    answer = render(request, "lineage/_graph.svg", context, content_type="image/svg+xml")
    return _named(answer, "lineage.svg")


@reading
@in_english
def graph_prov(request: HttpRequest) -> HttpResponse:
    """Give what is drawn, each member of a group by itself, as W3C PROV-JSON."""
    query, explored = _asked(request)
    if query.problems:
        return _refused(query)
    drawn = [one.object_id for node in explored.nodes for one in node.members]
    document = prov_document(prov_items(part=Part.of(drawn)))
    answer = HttpResponse(json.dumps(document, indent=1), content_type="application/json")
    return _named(answer, "lineage-prov.json")


@reading
@in_english
def nodes_csv(request: HttpRequest) -> HttpResponse:
    """Give a row for each node of the picture."""
    query, explored = _asked(request)
    if query.problems:
        return _refused(query)
    rows = [
        (
            box.node.name,
            box.node.first.kind,
            box.title,
            len(box.node.members),
            box.node.hops,
            box.node.unknown,
            box.node.possible,
            box.node.touched,
            box.node.first.state if len(box.node.members) == 1 else "",
            box.node.place.layer,
            round(box.node.place.row, 2),
        )
        for box in pictured(explored).boxes
    ]
    return _named(_table(NODES, rows), "lineage-nodes.csv")


@reading
@in_english
def edges_csv(request: HttpRequest) -> HttpResponse:
    """Give a row for each edge of the picture."""
    query, explored = _asked(request)
    if query.problems:
        return _refused(query)
    titles = {box.node.name: box.title for box in pictured(explored).boxes}
    rows = [
        (
            line.source,
            line.target,
            titles[line.source],
            titles[line.target],
            " ".join(line.roles),
            line.influence,
            line.count,
            line.on_way,
        )
        for line in explored.lines
    ]
    return _named(_table(EDGES, rows), "lineage-edges.csv")


def _asked(request: HttpRequest) -> tuple[Query, Explored]:
    query = read_query(request.GET, now=timezone.now())
    return query, _explored(query)


def _explored(query: Query) -> Explored:
    return explore(query.asked, opened=query.opened, shown=query.shown)


def _refused(query: Query) -> HttpResponse:
    return HttpResponse("\n".join(query.problems), status=404, content_type="text/plain")


def _named(answer: HttpResponse, name: str) -> HttpResponse:
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


def _table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> HttpResponse:
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(columns)
    # Numbers are ours: an apostrophe before what lies above a centre would make them text.
    table.writerows(
        [cell if _number(cell) else plain_cell(str(cell)) for cell in row] for row in rows
    )
    return HttpResponse(text.getvalue(), content_type="text/csv; charset=utf-8")


def _number(cell: object) -> bool:
    return isinstance(cell, int | float) and not isinstance(cell, bool)


def _node(box: Box, query: Query) -> dict[str, Any]:
    node = box.node
    return {
        "data": {
            "id": node.name,
            "label": f"{box.short}\n{box.note}",
            "whole": box.whole,
            "members": len(node.members),
            "unknown": node.unknown,
            "possible": node.possible,
            "touched": node.touched,
            "centre": not node.hops,
            "opens": node.opens,
            "folds": node.folds,
            "address": address_of(node, query),
        },
        "classes": box.tone,
        "position": {"x": box.x + WIDTH / 2, "y": box.middle},
    }


def _edge(stroke: Stroke) -> dict[str, Any]:
    line = stroke.line
    return {
        "data": {
            "id": f"{line.source}>{line.target}",
            "source": line.source,
            "target": line.target,
            "roles": [Role(role).label for role in line.roles],
            "count": line.count,
            "points": stroke.points,
        },
        "classes": " ".join([SHORT_INFLUENCE[line.influence], *(["way"] if line.on_way else [])]),
    }
