"""Ask once more, carry out one call, and say how it went."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import messages
from django.shortcuts import redirect

from audits.services.decisions import ReplacementNotAcceptable
from audits.services.duplicates import NeedsSecond
from audits.services.operator_cases import NotYourApproval
from audits.services.pauses import PauseRefused
from audits.services.transitions import MoveNotAllowed
from audits.views.access import page
from unlearning.services.runs import RunNotWaiting

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.forms import Form
    from django.http import HttpRequest, HttpResponse, QueryDict

    from audits.models import ErasureRequest
    from unlearning.models import UnlearningRun

# Sentences that the services wrote for people; anything else is a fault of ours.
SAID_NO = (
    MoveNotAllowed,
    NeedsSecond,
    NotYourApproval,
    PauseRefused,
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
        messages.error(request, str(error))
    else:
        messages.success(request, done)
    return redirect("audits:case", case_id=case.pk)


def ask(
    request: HttpRequest,
    template: str,
    case: ErasureRequest,
    form: Form,
    run: UnlearningRun | None = None,
) -> HttpResponse:
    """Show a form, with what is wrong in it after it was posted."""
    errors = [
        (f"#id_{name}", sentence)
        for name, sentences in form.errors.items()
        for sentence in sentences
    ]
    context = {"case": case, "form": form, "errors": errors, "run": run}
    return page(request, template, context, status=400 if errors else 200)
