"""Records that are alike under two targets: look at them, release them, drop them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib import messages
from django.core.paginator import Paginator
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_safe
from pyroaring import BitMap

from audits.core.roles import Right
from audits.queries import label_conflicts
from audits.queries.named_records import labels_of
from audits.queries.page_words import retold
from audits.services import held_records
from audits.services.closing import DataRemains
from audits.services.exceptions import MustBeKept
from audits.views.access import page, staff_of, staff_page
from audits.views.previews import asked, held_looked_at, may_open
from audits.views.proving import proving
from audits.views.rights import may, needing
from lineage.models import LabelConflict
from lineage.services.holding import NotHeld
from lineage.services.journal import JournalFull, JournalMissing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from uuid import UUID

    from django.http import HttpRequest, HttpResponse

    from audits.views.previews import Looked
    from lineage.models import OrdinalSpace

PER_PAGE = 50
SAID_NO = (DataRemains, JournalFull, JournalMissing, MustBeKept, NotHeld)
Records = dict["OrdinalSpace", BitMap]


@require_safe
@staff_page
def conflicts(request: HttpRequest) -> HttpResponse:
    """List what is held back, and what came in nevertheless."""
    found = label_conflicts.open_conflicts()
    shown = Paginator(found, PER_PAGE).get_page(request.GET.get("page"))
    looking = asked(request) and bool(shown)
    records = _records(shown)
    context = {
        "rows": _rows(shown, records, held_looked_at(request, records) if looking else {}),
        "shown": shown,
        "looking": looking,
        "query": "show=contents&" if looking else "",
        "held_count": label_conflicts.held_count(),
        "may_open": may_open(request),
        "may_handle": may(request, Right.HANDLE),
        "mode": settings.EXPUNGE_LABEL_CONFLICTS,
    }
    return page(request, "audits/label_conflicts.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@needing(Right.HANDLE)
def release(request: HttpRequest, conflict_id: UUID) -> HttpResponse:
    """Ask whether a record's target is right, and let training have it."""
    return _settle(request, conflict_id, "release", held_records.release)


@require_http_methods(["GET", "HEAD", "POST"])
@needing(Right.HANDLE)
@proving
def drop(request: HttpRequest, conflict_id: UUID) -> HttpResponse:
    """Ask whether a held record is to be erased, and erase it."""
    return _settle(request, conflict_id, "drop", held_records.drop)


DONE = {
    "release": "Record %(number)s of %(data)s was released: training has it from now on.",
    "drop": "Record %(number)s of %(data)s was dropped. Nothing of it is stored any more.",
}


def _settle(
    request: HttpRequest, conflict_id: UUID, what: str, call: Callable[..., object]
) -> HttpResponse:
    if request.method == "POST":
        found = LabelConflict.objects.select_related("space").filter(pk=conflict_id).first()
        try:
            call(conflict_id=conflict_id, user=staff_of(request), now=timezone.now())
        except SAID_NO as error:
            messages.error(request, retold(error))
        else:
            number, data = (found.ordinal, found.space.name) if found else ("", "")
            messages.success(request, gettext(DONE[what]) % {"number": number, "data": data})
        return redirect("audits:label_conflicts")
    conflict = get_object_or_404(LabelConflict.objects.select_related("space"), pk=conflict_id)
    records = _records([conflict])
    looking = asked(request)
    (row,) = _rows([conflict], records, held_looked_at(request, records) if looking else {})
    context = {**row, "what": what, "looking": looking}
    return page(request, "audits/settle_conflict.html", context)


def _records(found: Iterable[LabelConflict]) -> Records:
    records: Records = {}
    for one in found:
        held = records.setdefault(one.space, BitMap())
        held.update(at for at in (one.ordinal, one.other_ordinal) if at is not None)
    return records


def _rows(
    found: Iterable[LabelConflict], records: Records, looked: Looked
) -> list[dict[str, Any]]:
    labels: dict[tuple[int, int | None], str] = {
        (space.pk, ordinal): label
        for space, ordinals in records.items()
        for ordinal, label in labels_of(space, ordinals).items()
    }
    names = label_conflicts.datasets_of([space.pk for space in records])
    rows = []
    for one in found:
        own, other = (one.space_id, one.ordinal), (one.space_id, one.other_ordinal)
        rows.append(
            {
                "conflict": one,
                "dataset": names.get(one.space_id) or one.space.name,
                "label": labels.get(own, ""),
                "other_label": labels.get(other, ""),
                "look": looked.get(own),
                "other_look": looked.get(other),
            }
        )
    return rows
