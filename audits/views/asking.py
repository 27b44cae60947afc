"""Ask once more, carry out one call, and say how it went; what was typed is not lost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.shortcuts import redirect

from audits.queries.page_words import retold
from audits.services.decisions import ReplacementNotAcceptable
from audits.services.duplicates import NeedsSecond
from audits.services.four_eyes import NotYourDecision
from audits.services.operator_cases import NotYourApproval
from audits.services.pauses import PauseRefused
from audits.services.transitions import MoveNotAllowed
from audits.views.access import page
from audits.views.problems import problems
from unlearning.services.runs import RunNotWaiting

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from django.forms import Form
    from django.http import HttpRequest, HttpResponse, QueryDict

    from audits.forms import Words
    from audits.models import ErasureRequest

QUESTION = "audits/ask.html"
# Sentences that the services wrote for people; anything else is a fault of ours.
SAID_NO = (
    MoveNotAllowed,
    NeedsSecond,
    NotYourApproval,
    PauseRefused,
    NotYourDecision,
    ReplacementNotAcceptable,
    RunNotWaiting,
    ValueError,
)


def posted(request: HttpRequest) -> QueryDict | None:
    """Return what was posted, even when it is empty; None, for a blank form, else."""
    return request.POST if request.method == "POST" else None


def carry_out(
    request: HttpRequest, case: ErasureRequest, call: Callable[[], object], done: str
) -> HttpResponse:
    """Make the one call and say how it went, on the page of the case."""
    try:
        call()
    except SAID_NO as error:
        messages.error(request, retold(error))
    else:
        messages.success(request, done)
    return redirect("audits:case", case_id=case.pk)


def answered(
    request: HttpRequest,
    template: str,
    case: ErasureRequest,
    form: Form,
    call: Callable[[], object],
    done: str,
    **more: Any,  # noqa: ANN401  (a context)
) -> HttpResponse:
    """Make the one call that a valid form asks for; refused, the form is shown as it was typed."""
    try:
        call()
    except SAID_NO as error:
        form.add_error(None, str(error))
        return ask(request, template, case, form, **more)
    messages.success(request, done)
    return redirect("audits:case", case_id=case.pk)


def asked_about(
    request: HttpRequest,
    case: ErasureRequest,
    form: Form,
    call: Callable[[], object],
    done: str,
    question: Mapping[str, Words],
) -> HttpResponse:
    """Ask one question about a case, and make the one call once it is answered well."""
    if form.is_valid():
        return answered(request, QUESTION, case, form, call, done, ask=question)
    return ask(request, QUESTION, case, form, ask=question)


def ask(
    request: HttpRequest,
    template: str,
    case: ErasureRequest,
    form: Form,
    **more: Any,  # noqa: ANN401  (a context)
) -> HttpResponse:
    """Show a form, with what is wrong in it after it was posted."""
    errors = problems(form)
    context = {"case": case, "form": form, "errors": errors, **more}
    return page(request, template, context, status=400 if errors else 200)
