"""What follows the public form: the reference, and the link that confirms what was sent."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from django.shortcuts import redirect
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.http import require_http_methods, require_safe

from audits import workflow
from audits.services.requests import LinkNotUsable, request_of_link
from audits.views.access import page, private
from audits.views.language import speak_to
from audits.views.public_forms import WORDS
from audits.views.used_links import not_usable

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from audits.models import ErasureRequest

RECEIVED, CONFIRMED = "erasure_received", "erasure_confirmed"


@require_safe
@private
def erasure_received(request: HttpRequest) -> HttpResponse:
    """Say what happens next; the reference comes from the session, never from the address."""
    known = request.session.get(RECEIVED)
    if known is None:
        return redirect("audits:erasure_form")
    return page(request, "audits/erasure_received.html", _recalled(known))


@require_http_methods(["GET", "HEAD", "POST"])
@csrf_protect
@private
def confirm(request: HttpRequest, token: str) -> HttpResponse:
    """Show a button; only pressing it confirms, since mail scanners open every link."""
    try:
        if request.method != "POST":
            case = request_of_link(token)
            speak_to(request, case)
            context = {"case": case, "kind": WORDS.get(case.kind, "")}
            return page(request, "audits/confirm.html", context)
        case = workflow.confirm(token=token)
    except LinkNotUsable as error:
        if _just_confirmed(request, error.request):  # somebody pressed the button twice
            return redirect("audits:erasure_confirmed")
        return not_usable(request, error)
    remember(request, CONFIRMED, case)
    return redirect("audits:erasure_confirmed")


@require_safe
@private
def erasure_confirmed(request: HttpRequest) -> HttpResponse:
    """Thank the person and say by when they hear from us."""
    known = request.session.get(CONFIRMED)
    if known is None:
        return redirect("audits:erasure_form")
    return page(request, "audits/confirmed.html", _recalled(known))


def _just_confirmed(request: HttpRequest, case: ErasureRequest | None) -> bool:
    known = request.session.get(CONFIRMED) if request.method == "POST" else None
    return bool(known and case and known["reference"] == case.reference)


def remember(request: HttpRequest, what: str, case: ErasureRequest) -> None:
    """Keep in the session what the next page shows; nothing in it is personal."""
    request.session[what] = {
        "reference": case.reference,
        "due_on": str(case.due_on),
        "kind": case.kind,
    }


def _recalled(known: dict[str, str]) -> dict[str, object]:
    return {"known": known, "due_on": date.fromisoformat(known["due_on"])}
