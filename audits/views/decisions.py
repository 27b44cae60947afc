"""What staff decide about a case. Every page asks once more, and makes one call."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from django.contrib import messages
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_http_methods, require_POST

from audits import workflow
from audits.forms import AcceptForm, DestroyForm, OutsideForm, RefuseForm
from audits.models import DuplicateFinding, ErasureRequest
from audits.queries import case_page
from audits.services.decisions import ReplacementNotAcceptable
from audits.services.transitions import MoveNotAllowed
from audits.views.access import decision, page, staff_of
from unlearning.services.runs import RunNotWaiting

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.forms import Form
    from django.http import HttpRequest, HttpResponse, QueryDict

    from unlearning.models import UnlearningRun

S = ErasureRequest.Status
# Sentences that the services wrote for people; anything else is a fault of ours.
SAID_NO = (MoveNotAllowed, ReplacementNotAcceptable, RunNotWaiting, ValueError)


@require_http_methods(["GET", "HEAD", "POST"])
@decision
def accept(request: HttpRequest, case_id: UUID) -> HttpResponse:
    """Record the ground and start the erasure."""
    case = get_object_or_404(ErasureRequest, pk=case_id)
    form = AcceptForm(_posted(request))
    if form.is_valid():
        ground = form.cleaned_data["ground"]
        return _carry_out(
            request,
            case,
            lambda: workflow.accept(case_id=case.pk, ground=ground, user=staff_of(request)),
            f"Case {case.reference} was accepted. The erasure has started.",
        )
    return _ask(request, "audits/accept.html", case, form)


@require_http_methods(["GET", "HEAD", "POST"])
@decision
def refuse(request: HttpRequest, case_id: UUID) -> HttpResponse:
    """Record the reason and answer the person."""
    case = get_object_or_404(ErasureRequest, pk=case_id)
    form = RefuseForm(_posted(request))
    if form.is_valid():
        code = form.cleaned_data["code"]
        return _carry_out(
            request,
            case,
            lambda: workflow.refuse(case_id=case.pk, code=code, user=staff_of(request)),
            f"Case {case.reference} was refused. The person is being told why.",
        )
    return _ask(request, "audits/refuse.html", case, form)


@require_POST
@decision
def retry(request: HttpRequest, case_id: UUID) -> HttpResponse:
    """Go on with a failed case from where it stopped."""
    case = get_object_or_404(ErasureRequest, pk=case_id)
    return _carry_out(
        request,
        case,
        lambda: workflow.retry(case_id=case.pk, user=staff_of(request)),
        f"Case {case.reference} goes on from where it stopped.",
    )


@require_POST
@decision
def duplicate(request: HttpRequest, case_id: UUID, finding_id: UUID) -> HttpResponse:
    """Keep a record that resembles an erased one, or erase it too."""
    case = get_object_or_404(ErasureRequest, pk=case_id)
    finding = get_object_or_404(DuplicateFinding, pk=finding_id, request=case)
    choice = request.POST.get("decision", "")
    return _carry_out(
        request,
        case,
        lambda: workflow.decide_duplicate(
            finding_id=finding.pk, decision=choice, user=staff_of(request)
        ),
        "Your decision was recorded.",
    )


@require_http_methods(["GET", "HEAD", "POST"])
@decision
def destroy(request: HttpRequest, case_id: UUID, run_id: UUID) -> HttpResponse:
    """Destroy a version that cannot be trained again, once its name was typed."""
    case = get_object_or_404(ErasureRequest, pk=case_id)
    run = get_object_or_404(case_page.waiting_runs(case), pk=run_id)
    form = DestroyForm(_posted(request), name=str(run.target))
    if form.is_valid():
        return _carry_out(
            request,
            case,
            lambda: workflow.destroy_version(run_id=run.pk, user=staff_of(request)),
            f"{run.target} will be destroyed.",
        )
    return _ask(request, "audits/destroy.html", case, form, run=run)


@require_http_methods(["GET", "HEAD", "POST"])
@decision
def outside(request: HttpRequest, case_id: UUID, run_id: UUID) -> HttpResponse:
    """Choose the version, retrained outside, that replaces an affected one."""
    case = get_object_or_404(ErasureRequest, pk=case_id)
    run = get_object_or_404(case_page.waiting_runs(case), pk=run_id)
    form = OutsideForm(_posted(request), versions=case_page.replacements_for(run))
    if form.is_valid():
        version = UUID(form.cleaned_data["version"])
        return _carry_out(
            request,
            case,
            lambda: workflow.use_outside_version(
                run_id=run.pk, version_id=version, user=staff_of(request)
            ),
            f"{run.target} is being replaced.",
        )
    return _ask(request, "audits/outside.html", case, form, run=run)


@require_POST
@decision
def export(request: HttpRequest, case_id: UUID) -> HttpResponse:
    """Write the report of a sealed case again."""
    case = get_object_or_404(ErasureRequest, pk=case_id)
    if case.status != S.SEALED:
        messages.error(request, "A report can be written once the case is sealed.")
        return redirect("audits:case", case_id=case.pk)
    return _carry_out(
        request,
        case,
        lambda: workflow.export(case_id=case.pk),
        "The report is being written.",
    )


def _posted(request: HttpRequest) -> QueryDict | None:
    """Return what was posted, even when it is empty; None, for a blank form, else."""
    return request.POST if request.method == "POST" else None


def _carry_out(
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


def _ask(
    request: HttpRequest,
    template: str,
    case: ErasureRequest,
    form: Form,
    run: UnlearningRun | None = None,
) -> HttpResponse:
    errors = [
        (f"#id_{name}", sentence)
        for name, sentences in form.errors.items()
        for sentence in sentences
    ]
    context = {"case": case, "form": form, "errors": errors, "run": run}
    return page(request, template, context, status=400 if errors else 200)
