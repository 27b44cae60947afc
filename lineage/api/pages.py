"""Long lists in pages: a cursor names the last row that was shown, and is signed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

from django.core import signing
from django.db.models import Q
from django.utils.dateparse import parse_datetime
from ninja import Field, Query, Schema

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from django.db.models import Model, QuerySet
    from django.http import HttpRequest

MOST = 200


class CursorUnreadable(ValueError):
    """A cursor was not made here, or for another list."""


class PageIn(Schema):
    """Which part of a list: at most ``limit`` rows after the one that ``cursor`` names."""

    limit: Annotated[int, Field(ge=1, le=MOST)] = 50
    cursor: Annotated[str, Field(max_length=500)] = ""


Asked = Query[PageIn]


class PageOut(Schema):
    """``next``: the address of the rows that follow, null after the last; ``cursor``: its part."""

    next: str | None
    cursor: str | None


class Order(NamedTuple):
    """By which two columns a list is sorted, and whether the greatest comes first.

    Together they name one row; the first may be a moment.
    """

    column: str
    tie: str = "pk"
    newest_first: bool = True

    def names(self) -> tuple[str, str]:
        """Return the columns as ``order_by`` takes them."""
        sign = "-" if self.newest_first else ""
        return sign + self.column, sign + self.tie


def page_of(
    request: HttpRequest,
    asked: PageIn,
    rows: QuerySet[Any],
    order: Order,
    show: Callable[[Any], Any],
) -> dict[str, Any]:
    """Return a part of a list in the form of ``PageOut`` with its ``items``.

    Raises:
        CursorUnreadable: the cursor is none of this list's.
    """
    if asked.cursor:
        rows = rows.filter(_after(order, _read(asked.cursor, request.path)))
    found = list(rows.order_by(*order.names())[: asked.limit + 1])
    shown, more = found[: asked.limit], len(found) > asked.limit
    cursor = _cursor(shown[-1], order, request.path) if more else None
    return {"items": [show(row) for row in shown], **_links(request, cursor)}


def _links(request: HttpRequest, cursor: str | None) -> dict[str, str | None]:
    if cursor is None:
        return {"next": None, "cursor": None}
    query = request.GET.copy()
    query["cursor"] = cursor
    return {"next": f"{request.path}?{query.urlencode()}", "cursor": cursor}


def _cursor(row: Model, order: Order, path: str) -> str:
    place = [getattr(row, order.column), getattr(row, order.tie)]
    return signing.dumps([_plain(one) for one in place], salt=f"cursor:{path}")


def _plain(value: Any) -> Any:  # noqa: ANN401  (a column)
    if hasattr(value, "isoformat"):
        return {"at": value.isoformat()}
    return value if isinstance(value, int | None) else str(value)


def _read(cursor: str, path: str) -> Sequence[Any]:
    try:
        place = signing.loads(cursor, salt=f"cursor:{path}")
    except signing.BadSignature:
        raise CursorUnreadable(
            "cursor is none of this list's; take it from the next of the page before."
        ) from None
    return [parse_datetime(one["at"]) if isinstance(one, dict) else one for one in place]


def _after(order: Order, place: Sequence[Any]) -> Q:
    beyond = "lt" if order.newest_first else "gt"
    first, tie = place
    return Q(**{f"{order.column}__{beyond}": first}) | Q(
        **{order.column: first, f"{order.tie}__{beyond}": tie}
    )
