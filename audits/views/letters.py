"""The letters of a case: read one, see one before it is sent, post one, choose the way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from audits import workflow
from audits.core.letter_layout import LetterIncomplete
from audits.core.letter_rules import RULES
from audits.core.roles import Right
from audits.execution.letter_pdf import letter_pdf
from audits.models import AnswerRoute, ErasureRequest, Letter
from audits.models.case_secrets import GONE, NotReadable
from audits.queries.letter_routes import nobody_to_answer, on_paper, postal_address
from audits.queries.letter_texts import phrases
from audits.queries.retention import retention_of
from audits.services import rights
from audits.services.letter_contents import open_letter
from audits.services.letter_writing import preview_letter
from audits.views.access import page, staff_of, staff_page
from audits.views.asking import answered, ask, carry_out, posted
from audits.views.downloads import attachment, not_there
from audits.views.letter_forms import PostedForm, RouteForm
from audits.views.rights import needing

if TYPE_CHECKING:
    from uuid import UUID

    from django.http import HttpRequest, HttpResponse

    from audits.services.letter_contents import Written

S = ErasureRequest.Status
# What a form of staff tells about a letter, and so what a preview may be asked with.
TOLD = ("asked", "reason", "new_due", "lift_on")


@require_safe
@staff_page
def letter(request: HttpRequest, case_id: UUID, letter_id: UUID) -> HttpResponse:
    """Show the text of a letter, but for the links that only its addressee gets."""
    found = _letter(case_id, letter_id)
    try:
        written = open_letter(case_id, letter_id, bytes(found.content))
    except NotReadable as error:
        return not_there(request, _("The text cannot be read"), _why_not(found, error), 404)
    shown = written.without_links(phrases(found.locale)["hidden"])
    context = {"case": found.request, "letter": found, **_shown(shown, found.code, found.locale)}
    return page(request, _template(request, "audits/letter.html"), context)


@require_safe
@staff_page
def pdf(request: HttpRequest, case_id: UUID, letter_id: UUID) -> HttpResponse:
    """Return a letter as a PDF; one that is to be posted, to whoever may handle cases only."""
    found = _letter(case_id, letter_id)
    to_post = found.state == Letter.State.TO_POST
    rights.require(staff_of(request), Right.HANDLE if to_post else Right.READ)
    try:
        data = letter_pdf(found)
    except NotReadable as error:
        return not_there(request, _("The text cannot be read"), _why_not(found, error), 404)
    name = f"{found.request.reference}-{found.code.lower().replace('_', '-')}-{found.number}.pdf"
    return attachment(data, name, "application/pdf")


@require_http_methods(["GET", "HEAD", "POST"])
@staff_page
def preview(request: HttpRequest, case_id: UUID) -> HttpResponse:
    """Show a letter as it would be sent now; any form of staff may post what it would say."""
    case = get_object_or_404(ErasureRequest, pk=case_id)
    told = request.POST if request.method == "POST" else request.GET
    code = told.get("code", "")
    if code not in RULES or not RULES[code].to_person:
        return not_there(
            request,
            _("There is no such letter"),
            _("The code was %(code)s.") % {"code": repr(code)},
            404,
        )
    said = {name: told[name] for name in TOLD if told.get(name)}
    try:
        written = preview_letter(request=case, code=code, now=timezone.now(), context=said)
    except (LetterIncomplete, ValueError) as error:
        return not_there(request, _("The letter cannot be written yet"), str(error), 400)
    may_send = code in workflow.LETTERS_OF_STAFF and case.status in workflow.LETTERS_OF_STAFF[code]
    shown = _shown(written, code, case.locale)
    context = {"case": case, "may_send": may_send and _may_handle(request), **shown}
    return page(request, _template(request, "audits/letter_preview.html"), context)


def _template(request: HttpRequest, whole: str) -> str:
    """Return the template of a page, or of its text alone for the page of the case."""
    return "audits/_letter_text.html" if request.GET.get("part") == "text" else whole


def _why_not(letter: Letter, error: NotReadable) -> str:
    kept = retention_of(letter.request)
    return GONE if kept and kept.key_destroyed_at else str(error)


@require_POST
@needing(Right.HANDLE)
def send(request: HttpRequest, case_id: UUID, code: str) -> HttpResponse:
    """Send a letter that needs no decision."""
    case = get_object_or_404(ErasureRequest, pk=case_id)
    return carry_out(
        request,
        case,
        lambda: workflow.send_staff_letter(case_id=case_id, code=code, user=staff_of(request)),
        _("The letter was handed over. Its state stands under Letters."),
    )


@require_POST
@needing(Right.HANDLE)
def again(request: HttpRequest, case_id: UUID, letter_id: UUID) -> HttpResponse:
    """Try a letter again that could not be sent."""
    found = _letter(case_id, letter_id)
    return carry_out(
        request,
        found.request,
        lambda: workflow.try_letter_again(letter_id=letter_id, user=staff_of(request)),
        _("The letter was tried again. Its state stands under Letters."),
    )


@require_http_methods(["GET", "HEAD", "POST"])
@needing(Right.HANDLE)
def post(request: HttpRequest, case_id: UUID, letter_id: UUID) -> HttpResponse:
    """Record the day on which a letter was posted."""
    user = staff_of(request)
    found = _letter(case_id, letter_id)
    form = PostedForm(posted(request))
    if form.is_valid():
        day = form.cleaned_data["posted_on"]
        return answered(
            request,
            "audits/letter_posted.html",
            found.request,
            form,
            lambda: workflow.post_letter(letter_id=letter_id, posted_on=day, user=user),
            _("The day of posting was recorded."),
        )
    return ask(request, "audits/letter_posted.html", found.request, form)


@require_http_methods(["GET", "HEAD", "POST"])
@needing(Right.ENTER)
def route(request: HttpRequest, case_id: UUID) -> HttpResponse:
    """Choose how a person is answered."""
    user = staff_of(request)
    case = get_object_or_404(ErasureRequest, pk=case_id)
    ways = AnswerRoute.Way
    way = ways.POST if on_paper(case) else ways.EMAIL
    known = {"way": way, "address": postal_address(case)}
    form = RouteForm(posted(request), initial=known)
    if form.is_valid():
        chosen = form.cleaned_data
        return answered(
            request,
            "audits/answer_route.html",
            case,
            form,
            lambda: workflow.choose_route(case_id=case_id, user=user, **chosen),
            _("How the person is answered was recorded."),
        )
    return ask(request, "audits/answer_route.html", case, form)


def letters_of(request: HttpRequest, case: ErasureRequest) -> dict[str, Any]:
    """Return what the page of a case shows of its letters."""
    written = sorted(case.letters.all(), key=lambda one: one.created_at)
    known = {one.code for one in written}
    by_staff = workflow.LETTERS_OF_STAFF
    sendable = [code for code in by_staff if case.status in by_staff[code] and code not in known]
    return {
        "letters": [(one, RULES[one.code].title) for one in written],
        "letters_to_send": [(code, RULES[code].title) for code in sendable],
        "may_handle": _may_handle(request),
        "may_enter": rights.has_right(staff_of(request), Right.ENTER),
        "on_paper": on_paper(case),
        "confirm_on_paper": on_paper(case, "CONFIRM"),
        "may_choose_way": case.status != S.SEALED and not nobody_to_answer(case),
    }


def _shown(written: Written, code: str, locale: str) -> dict[str, Any]:
    return {
        "code": code,
        "title": RULES[code].title,
        "subject": written.subject,
        "body": written.body,
        "locale": locale,
    }


def _letter(case_id: UUID, letter_id: UUID) -> Letter:
    return get_object_or_404(
        Letter.objects.select_related("request"), pk=letter_id, request_id=case_id
    )


def _may_handle(request: HttpRequest) -> bool:
    return rights.has_right(staff_of(request), Right.HANDLE)
