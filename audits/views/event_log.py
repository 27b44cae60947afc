"""The log for reading: pages of events, one event with its proof, and the checkpoints."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from django.core.paginator import Paginator
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from audits.core.event_types import SCHEMA
from audits.core.ledger import NotProven
from audits.models import LogCheckpoint, LogLeaf
from audits.queries import event_pages, log_proofs
from audits.queries.log_state import log_state
from audits.queries.log_tree import SubtreeMissing
from audits.views.access import page, staff_page
from audits.views.downloads import attachment, not_there

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

PLAIN = "text/plain; charset=utf-8"
PER_PAGE = 50
_DIGITS = 18  # of an index that fits into the column


@require_safe
@staff_page
def events(request: HttpRequest) -> HttpResponse:
    """List events, the newest first, of one case or of one type where they are asked for."""
    typed = {name: request.GET.get(name, "").strip() for name in ("case", "type", "before")}
    case = event_pages.case_called(typed["case"]) if typed["case"] else None
    unknown = bool(typed["case"]) and case is None
    kind = typed["type"] if typed["type"] in SCHEMA else ""
    before = _index(typed["before"])
    found = event_pages.page_of(before=before, case=case, kind=kind)
    context = {
        "found": found if not unknown else event_pages.LogPage(events=(), older=None, newer=None),
        "unknown": unknown,
        "case": typed["case"],
        "type": kind,
        "types": sorted(SCHEMA),
        "state": log_state(),
    }
    return page(request, "audits/event_log.html", context)


@require_safe
@staff_page
def event(request: HttpRequest, index: int) -> HttpResponse:
    """Show one event as it is hashed, and its place in the tree that was signed last."""
    leaf = get_object_or_404(LogLeaf, pk=index)
    found = event_pages.proven(leaf)
    text = found.raw.decode(errors="backslashreplace")
    return page(request, "audits/log_event.html", {"found": found, "text": text})


@require_safe
@staff_page
def event_json(request: HttpRequest, index: int) -> HttpResponse:  # noqa: ARG001
    """Return the bytes of one event as they are hashed."""
    leaf = get_object_or_404(LogLeaf, pk=index)
    return attachment(bytes(leaf.data), f"{index}.json", "application/json")


@require_safe
@staff_page
def proof(request: HttpRequest, index: int) -> HttpResponse:
    """Return the tlog-proof of one event under the newest checkpoint."""
    get_object_or_404(LogLeaf, pk=index)
    try:
        text = log_proofs.tlog_proof(index, log_proofs.newest_checkpoint())
    except log_proofs.NotSignedYet as error:
        title = _("There is no proof of this event yet")
        return not_there(request, title, str(error), HTTPStatus.NOT_FOUND)
    except (NotProven, SubtreeMissing) as error:
        title = _("The log is not what was signed")
        said = _("%(reason)s Run manage.py fsck.") % {"reason": error}
        return not_there(request, title, said, HTTPStatus.INTERNAL_SERVER_ERROR)
    return attachment(text.encode(), f"{index}.tlog-proof", PLAIN)


@require_safe
@staff_page
def checkpoints(request: HttpRequest) -> HttpResponse:
    """List the checkpoints, the newest first."""
    found = LogCheckpoint.objects.order_by("-size").prefetch_related("anchors")
    shown = Paginator(found, PER_PAGE).get_page(request.GET.get("page"))
    return page(request, "audits/checkpoints.html", {"shown": shown, "state": log_state()})


@require_safe
@staff_page
def checkpoint(request: HttpRequest, size: int) -> HttpResponse:  # noqa: ARG001
    """Return one checkpoint, a C2SP signed note."""
    found = get_object_or_404(LogCheckpoint, pk=size)
    return attachment(found.note.encode(), f"checkpoint-{size}.txt", PLAIN)


def _index(text: str) -> int | None:
    """Return the index that was asked for; None for none, or for what cannot be one."""
    return int(text) if text.isdecimal() and len(text) <= _DIGITS else None
