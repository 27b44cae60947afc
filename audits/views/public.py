"""The public form and the link that confirms what was sent with it."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.http import require_http_methods, require_safe

from audits import workflow
from audits.services.requests import LinkNotUsable, request_of_link
from audits.views.access import page, private
from audits.views.intake_forms import RequestForm, wish_of
from audits.views.limiter import HOUR, too_many

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from audits.models import ErasureRequest

RECEIVED, CONFIRMED = "erasure_received", "erasure_confirmed"
TOO_MANY = (
    "There were too many requests from your network or for this address. Please try again in an "
    "hour. Nothing you sent was lost if you have a confirmation e-mail."
)


@require_http_methods(["GET", "HEAD", "POST"])
@csrf_protect
@private
def erasure_form(request: HttpRequest) -> HttpResponse:
    """Ask for the one thing we need; the answer is the same whether or not we know the person."""
    now = timezone.now()
    if request.method != "POST":
        return page(request, "audits/erasure_form.html", {"form": RequestForm(now=now)})
    form = RequestForm(request.POST, now=now)
    if not form.is_valid():
        return _again(request, form, status=400)
    email = form.cleaned_data["email"]
    if too_many(request, email=email, now=now):
        form.add_error(None, TOO_MANY)
        response = _again(request, form, status=429)
        response["Retry-After"] = str(HOUR)
        return response
    try:
        wish = wish_of(form.cleaned_data["kind"])
        received = workflow.submit(
            email=email, kind=wish.kind, marketing=wish.marketing, told=form.told()
        )
    except workflow.LetterNotSent as error:
        form.add_error(None, str(error))
        return _again(request, form, status=503)
    _remember(request, RECEIVED, received.request)
    return redirect("audits:erasure_received")


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
            return page(request, "audits/confirm.html", {"case": case})
        case = workflow.confirm(token=token)
    except LinkNotUsable as error:
        return page(request, "audits/link_not_usable.html", {"reason": str(error)}, status=410)
    _remember(request, CONFIRMED, case)
    return redirect("audits:erasure_confirmed")


@require_safe
@private
def erasure_confirmed(request: HttpRequest) -> HttpResponse:
    """Thank the person and say by when they hear from us."""
    known = request.session.get(CONFIRMED)
    if known is None:
        return redirect("audits:erasure_form")
    return page(request, "audits/confirmed.html", _recalled(known))


def _again(request: HttpRequest, form: RequestForm, *, status: int) -> HttpResponse:
    errors = [
        (f"#id_{name if name in form.fields else 'email'}", sentence)
        for name, sentences in form.errors.items()
        for sentence in sentences
    ]
    context = {"form": form.again(), "errors": errors, "email_errors": form.errors.get("email")}
    return page(request, "audits/erasure_form.html", context, status=status)


def _remember(request: HttpRequest, what: str, case: ErasureRequest) -> None:
    request.session[what] = {"reference": case.reference, "due_on": str(case.due_on)}


def _recalled(known: dict[str, str]) -> dict[str, object]:
    return {"known": known, "due_on": date.fromisoformat(known["due_on"])}


def home(request: HttpRequest) -> HttpResponse:  # noqa: ARG001  (a view takes the request)
    """Lead from the root of the site to the form."""
    return redirect("audits:erasure_form")
