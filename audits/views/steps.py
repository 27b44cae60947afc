"""The pages that take a request, one question each; see docs/public-pages.md.

No address holds an answer. What was answered travels in a cookie (see ``draft``); a page that
comes too early leads back to the start and says why.
"""

from __future__ import annotations

from dataclasses import replace
from functools import wraps
from typing import TYPE_CHECKING

from django.conf import settings
from django.http import Http404
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.http import require_http_methods, require_safe

from audits.views.access import page, private
from audits.views.asking import posted
from audits.views.draft import ABOUT_MORE, Draft, DraftTooLong, draft_of, keep
from audits.views.entering import problems
from audits.views.intake_forms import MARKETING, Kind
from audits.views.limiter import HOUR
from audits.views.public_forms import (
    WORDS,
    AgainstForm,
    EmailForm,
    KindForm,
    SeenForm,
    TrapForm,
)
from audits.views.sending import NotSent, send

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from django.forms import Form
    from django.http import HttpRequest, HttpResponse

TOO_MANY_REQUESTS = 429
# The last word of the address that leads past the question of the kind.
DIRECT = {
    "erase": Kind.ERASURE,
    "consent": Kind.CONSENT,
    "objection": Kind.OBJECTION,
    "marketing": MARKETING,
    "restriction": Kind.RESTRICTION,
    "output": Kind.SEEN_IN_OUTPUT,
}


def step(
    view: Callable[[HttpRequest, Draft], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Serve a page that needs the earlier answers, or start over where they are gone."""

    @wraps(view)
    def asked(request: HttpRequest) -> HttpResponse:
        draft = draft_of(request)
        if not draft.kind:
            return redirect(f"{reverse('audits:erasure_form')}?lost=1")
        return view(request, draft)

    return require_http_methods(["GET", "HEAD", "POST"])(csrf_protect(private(asked)))


@require_safe
@private
def start(request: HttpRequest) -> HttpResponse:
    """Say what can be asked for, with a link for each."""
    return page(request, "audits/erasure_form.html", {"lost": "lost" in request.GET})


@require_safe
@private
def direct(request: HttpRequest, wish: str) -> HttpResponse:
    """Lead past the question of the kind, for a link that names it."""
    if wish not in DIRECT:
        raise Http404
    kind = DIRECT[wish]
    return _go_on(replace(draft_of(request), kind=kind, said_more=kind == MARKETING))


@require_http_methods(["GET", "HEAD", "POST"])
@csrf_protect
@private
def kind(request: HttpRequest) -> HttpResponse:
    """Ask what the person wants."""
    draft = draft_of(request)
    shown = Kind.OBJECTION if draft.kind == MARKETING else draft.kind
    form = KindForm(posted(request), initial={"kind": shown})
    if form.is_valid():
        chosen = form.cleaned_data["kind"]
        same = chosen == shown
        return _go_on(
            replace(
                draft,
                kind=draft.kind if same else chosen,
                said_more=draft.said_more and same,
            )
        )
    context = {"form": form, "back": reverse("audits:erasure_form")}
    return _ask(request, "audits/ask_kind.html", context, form)


@step
def more(request: HttpRequest, draft: Draft) -> HttpResponse:
    """Ask what only this kind needs."""
    if draft.kind not in ABOUT_MORE:
        return redirect(f"audits:ask_{draft.step}")
    form: Form
    if draft.kind == Kind.SEEN_IN_OUTPUT:
        known = {"description": draft.description, "model_name": draft.model_name}
        form = SeenForm(posted(request), initial=known)
    else:
        chosen = {"kind": draft.kind} if draft.said_more else {}
        form = AgainstForm(posted(request), initial=chosen)
    if form.is_valid():
        try:
            return _go_on(replace(draft, **form.cleaned_data, said_more=True))
        except DraftTooLong:
            form.add_error("description", _("This is too long. Please shorten it."))
    context = {"form": form, "back": reverse("audits:ask_kind")}
    return _ask(request, "audits/ask_more.html", context, form)


@step
def email(request: HttpRequest, draft: Draft) -> HttpResponse:
    """Ask for the address; a withdrawal of consent is sent from here."""
    if draft.step in ("kind", "more"):
        return redirect(f"audits:ask_{draft.step}")
    now, at_once = timezone.now(), draft.kind == Kind.CONSENT
    form: TrapForm = EmailForm(posted(request), now=now, email=draft.email)
    status = 400
    if form.is_valid():
        said = form.cleaned_data
        answered = replace(draft, email=said["email"], stamp=said["stamp"])
        if not at_once:
            return _go_on(answered)
        try:
            return send(request, answered, now=now, proof=said["proof"])
        except NotSent as error:
            form.add_error(None, str(error))
            status = error.status
    before = "ask_more" if draft.kind in ABOUT_MORE and draft.kind != MARKETING else "ask_kind"
    context = {
        "form": form.again() if form.is_bound else form,
        "email_errors": form.errors.get("email"),
        "at_once": at_once,
        "work": settings.EXPUNGE_PROOF_OF_WORK if at_once else 0,
        "back": reverse(f"audits:{before}"),
    }
    return _ask(request, "audits/ask_email.html", context, form, status=status)


@step
def check(request: HttpRequest, draft: Draft) -> HttpResponse:
    """Show the answers once more; the button sends them."""
    if draft.step != "check":
        return redirect(f"audits:ask_{draft.step}")
    now = timezone.now()
    # The stamp of the page before: nobody need wait on this one.
    form = TrapForm(posted(request), now=now, stamp=draft.stamp)
    status = 400
    if form.is_valid():
        sent = replace(draft, stamp=form.cleaned_data["stamp"])
        try:
            return send(request, sent, now=now, proof=form.cleaned_data["proof"])
        except NotSent as error:
            form.add_error(None, str(error))
            status = error.status
    context = {
        "form": form.again() if form.is_bound else form,
        "draft": draft,
        "kind": WORDS[draft.kind],
        "work": settings.EXPUNGE_PROOF_OF_WORK,
        "back": reverse("audits:ask_email"),
    }
    return _ask(request, "audits/check.html", context, form, status=status)


def _go_on(draft: Draft) -> HttpResponse:
    return keep(redirect(f"audits:ask_{draft.step}"), draft)


def _ask(
    request: HttpRequest,
    template: str,
    context: Mapping[str, object],
    form: Form,
    *,
    status: int = 400,
) -> HttpResponse:
    first = {"audits/ask_email.html": "email", "audits/check.html": "send"}.get(template, "kind_0")
    errors = [
        (f"{target}_0" if target == "#id_kind" else target, sentence)
        for target, sentence in problems(form, first)
    ]
    shown = {**context, "errors": errors}
    response = page(request, template, shown, status=status if form.errors else 200)
    if status == TOO_MANY_REQUESTS:
        response["Retry-After"] = str(HOUR)
    return response
