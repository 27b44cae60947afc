"""The page of the graph: where a model, a data set or a person's records stand in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _

from lineage.core.folding import MOST, SHOWN
from lineage.queries.explorer import explore
from lineage.queries.graph_search import search
from lineage.views.access import reading
from lineage.views.graph_picture import HEIGHT, WIDTH, pictured
from lineage.views.graph_query import read_query
from lineage.views.graph_rows import folded_count, rows_of

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from lineage.queries.explorer import Explored
    from lineage.queries.graph_region import Asked
    from lineage.views.graph_picture import Picture
    from lineage.views.graph_query import Query

NAMED = 20  # of what is left out


@reading
def graph(request: HttpRequest) -> HttpResponse:
    """Show the graph around something, or where to begin."""
    query = read_query(request.GET, now=timezone.now())
    words = query.values.get("q", "")
    context: dict[str, Any] = {"query": query, "words": words, "problems": query.problems}
    if query.asked.anything:
        context |= _drawn(query)
    if words or not query.asked.anything:
        context["found"] = search(words)
    status = 404 if query.problems else 200
    return render(request, "lineage/graph.html", context, status=status)


def _drawn(query: Query) -> dict[str, Any]:
    explored = explore(query.asked, opened=query.opened, shown=query.shown)
    picture = pictured(explored)
    return {
        "about": _about(query.asked),
        "explored": explored,
        "picture": picture,
        "width": WIDTH,
        "height": HEIGHT,
        "rows": rows_of(picture, query),
        "behind": folded_count(picture.boxes),
        "unknown": sum(box.node.unknown or box.node.possible for box in picture.boxes),
        "left_out": _left_out(explored),
        "more": query.but(shown=str(MOST)) if explored.left_out and query.shown < MOST else "",
        "fewer": query.but(shown="") if query.shown > SHOWN else "",
        "same": query.but(q=""),
        "today": timezone.localdate(),
        "since": _since(explored),
        "opened": _opened(query, picture),
        "sources": sorted(
            {
                (box.node.first.dataset_name, str(box.node.first.dataset))
                for box in picture.boxes
                if box.node.first.dataset and box.node.hops < 0
            }
        ),
    }


def _opened(query: Query, picture: Picture) -> list[tuple[str, str]]:
    """Return the query in which each thing that is opened is folded again, and its name."""
    names = {
        box.node.folds: box.node.first.dataset_name or _("models alike")
        for box in picture.boxes
        if box.node.folds
    }
    return [(query.with_open(key, opened=False), names[key]) for key in sorted(names)]


def _about(asked: Asked) -> str:
    if asked.version:
        return str(asked.version)
    if asked.dataset:
        return _("Data set %(name)s") % {"name": asked.dataset}
    return _("Records of %(person)s") % {"person": asked.person}


def _left_out(explored: Explored) -> dict[str, Any]:
    names = [
        members[0].label
        if len(members) == 1
        else _("%(name)s and %(count)s more")
        % {"name": members[0].label, "count": len(members) - 1}
        for members in explored.left_out
    ]
    return {"count": len(names), "names": names[:NAMED], "more": max(0, len(names) - NAMED)}


def _since(explored: Explored) -> Any:  # noqa: ANN401
    times = [one.at for node in explored.nodes for one in node.members]
    return timezone.localdate(min(times)) if times else None
