"""The page on which a person follows their own request, found by an unguessable token."""

from __future__ import annotations

from dataclasses import replace
from functools import wraps
from typing import TYPE_CHECKING, Any

from django.shortcuts import redirect
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import get_language, gettext
from django.views.decorators.http import require_http_methods, require_safe

from audits import workflow
from audits.core.case_bundle import STANDALONE
from audits.models import ComplianceRecord, ErasureRequest
from audits.queries import case_file, cases
from audits.queries.editions import for_the_person
from audits.queries.journey import LABELS_FOR_THE_PERSON, journey
from audits.queries.letter_models import model_sentences
from audits.queries.letter_routes import on_paper
from audits.queries.letter_texts import phrases
from audits.services.requests import token_digest
from audits.services.transitions import MoveNotAllowed
from audits.views.access import no_referrer, page, private
from audits.views.downloads import attachment, edition_response, record_response
from audits.views.language import speak_to
from audits.views.progress import fragment, progress_of
from audits.views.wording import OUTCOMES

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest, HttpResponse

S = ErasureRequest.Status
WITHDRAWABLE = (S.RECEIVED, S.VERIFIED)


def of_token(
    view: Callable[[HttpRequest, ErasureRequest, str], HttpResponse],
) -> Callable[[HttpRequest, str], HttpResponse]:
    """Serve a page about the case that a token belongs to; a wrong one gets a way on."""

    @wraps(view)
    def found(request: HttpRequest, token: str) -> HttpResponse:
        case = cases.case_by_status_digest(token_digest(token))
        if case is None:
            return page(request, "audits/status_unknown.html", {}, status=404)
        speak_to(request, case)
        return view(request, case, token)

    return private(found)


@require_safe
@no_referrer
@of_token
def status(request: HttpRequest, case: ErasureRequest, token: str) -> HttpResponse:
    """Show how far a request is, when it is answered, and how it ended."""
    return page(request, "audits/status.html", _context(case, token))


@require_safe
@no_referrer
@of_token
def status_progress(request: HttpRequest, case: ErasureRequest, token: str) -> HttpResponse:
    """Return the steps alone, for the page that renews itself."""
    content = render_to_string("audits/_status_live.html", _context(case, token))
    return fragment(request, content)


@require_http_methods(["GET", "HEAD", "POST"])
@of_token
def withdraw(request: HttpRequest, case: ErasureRequest, token: str) -> HttpResponse:
    """Ask once more, then close the case; too late is said, not hidden, and twice is no error."""
    if case.outcome == ErasureRequest.Outcome.WITHDRAWN:
        return page(request, "audits/withdrawn.html", {"case": case, "token": token})
    if not can_withdraw(case):
        return page(request, "audits/withdraw_late.html", {"token": token}, status=409)
    if request.method != "POST":
        return page(request, "audits/withdraw.html", {"case": case, "token": token})
    try:
        workflow.withdraw(case_id=case.pk)
    except MoveNotAllowed:
        return page(request, "audits/withdraw_late.html", {"token": token}, status=409)
    return redirect("audits:status", token=token)


@require_safe
@no_referrer
@of_token
def status_record(
    request: HttpRequest,
    case: ErasureRequest,
    token: str,  # noqa: ARG001  (it has found the case)
) -> HttpResponse:
    """Return the sealed record to the person whom it is about."""
    return record_response(request, case)


@require_safe
@no_referrer
@of_token
def status_program(
    request: HttpRequest,  # noqa: ARG001  (as every view)
    case: ErasureRequest,  # noqa: ARG001  (it is the same for every case)
    token: str,  # noqa: ARG001  (it has found the case)
) -> HttpResponse:
    """Return the program that checks the record, as the report for the person says."""
    return attachment(STANDALONE.read_bytes(), STANDALONE.name, "text/x-python")


@require_safe
@no_referrer
@of_token
def status_report(
    request: HttpRequest,
    case: ErasureRequest,
    token: str,  # noqa: ARG001  (it has found the case)
) -> HttpResponse:
    """Return their edition of the report to the person whom it is about."""
    language = get_language() or case.locale
    return edition_response(request, case, for_the_person(case, language), language)


def can_withdraw(case: ErasureRequest) -> bool:
    """Return whether nothing has been done yet."""
    return case.status in WITHDRAWABLE and not case.outcome


def _context(case: ErasureRequest, token: str) -> dict[str, Any]:
    sealed = case.status == S.SEALED
    language = get_language() or case.locale
    progress = progress_of(case, timezone.now())
    return {
        "case": case,
        "token": token,
        "stages": [
            replace(stage, label=gettext(stage.label))
            for stage in journey(case, LABELS_FOR_THE_PERSON)
        ],
        "progress": progress,
        # Somebody who waits for us for weeks need not ask every two seconds.
        "every": 2 if progress.active else 30,
        "sealed": sealed,
        "can_withdraw": can_withdraw(case),
        "confirm_on_paper": on_paper(case, "CONFIRM"),
        "on_paper": on_paper(case),
        "outcome": _said(OUTCOMES.get(case.outcome, "")) if sealed else "",
        "refusal": phrases(language).get(case.refusal_code, ""),
        # The letter and the page tell of the models in the same words.
        "models": model_sentences(case, language, {"runs": case_file.ordered_runs(case)})
        if case.outcome == ErasureRequest.Outcome.ERASED and sealed
        else (),
        "record": ComplianceRecord.objects.filter(request=case).first() if sealed else None,
        "has_pdf": sealed and for_the_person(case, language) is not None,
    }


def _said(words: str) -> str:
    # The translation of "" is the header of the catalogue.
    return gettext(words) if words else ""
