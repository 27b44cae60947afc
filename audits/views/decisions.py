"""What staff decide about a case. Every page asks once more, and makes one call."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from django.contrib import messages
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from audits import workflow
from audits.core.roles import Right
from audits.models import DuplicateFinding, ErasureRequest
from audits.queries.cases import jobs_of
from audits.views.access import staff_of
from audits.views.asking import carry_out
from audits.views.proving import proving
from audits.views.rights import needing

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

S = ErasureRequest.Status
STOPPED = {
    "REPORT": "The report is not written. The case stays sealed; a case officer can have the "
    "report written later.",
    "SEARCH": "The search stops within seconds. The case then waits for a decision of staff.",
}
STOPPED_CASE = "The work stops within seconds. The case then needs attention; retry it to go on."


@require_POST
@needing(Right.OPERATE)
def retry(request: HttpRequest, case_id: UUID) -> HttpResponse:
    """Go on with a failed case from where it stopped."""
    case = get_object_or_404(ErasureRequest, pk=case_id)
    return carry_out(
        request,
        case,
        lambda: workflow.retry(case_id=case.pk, user=staff_of(request)),
        _("Case %(reference)s goes on from where it stopped.") % {"reference": case.reference},
    )


@require_POST
@needing(Right.OPERATE)
def cancel_job(request: HttpRequest, case_id: UUID, job_id: UUID) -> HttpResponse:
    """Stop a job of a case that waits or runs."""
    case = get_object_or_404(ErasureRequest, pk=case_id)
    job = get_object_or_404(jobs_of(case), pk=job_id)
    return carry_out(
        request,
        case,
        lambda: workflow.cancel_job(case_id=case.pk, job_id=job.pk, user=staff_of(request)),
        _(STOPPED.get(job.kind, STOPPED_CASE)),
    )


@require_POST
@needing(Right.HANDLE)
@proving
def duplicate(request: HttpRequest, case_id: UUID, finding_id: UUID) -> HttpResponse:
    """Keep a record that resembles an erased one, or erase it too."""
    case = get_object_or_404(ErasureRequest, pk=case_id)
    finding = get_object_or_404(DuplicateFinding, pk=finding_id, request=case)
    choice = request.POST.get("decision", "")
    return carry_out(
        request,
        case,
        lambda: workflow.decide_duplicate(
            finding_id=finding.pk, decision=choice, user=staff_of(request)
        ),
        _("Your decision was recorded."),
    )


@require_POST
@needing(Right.HANDLE)
@proving
def duplicates(request: HttpRequest, case_id: UUID) -> HttpResponse:
    """Keep or erase all the duplicates that were shown."""
    case = get_object_or_404(ErasureRequest, pk=case_id)
    choice = request.POST.get("decision", "")
    return carry_out(
        request,
        case,
        lambda: workflow.decide_duplicates(
            case_id=case.pk,
            findings=[UUID(one) for one in request.POST.getlist("finding")],
            decision=choice,
            user=staff_of(request),
        ),
        _("Your decision was recorded."),
    )


@require_POST
@needing(Right.HANDLE)
def export(request: HttpRequest, case_id: UUID) -> HttpResponse:
    """Write the report of a sealed case again."""
    case = get_object_or_404(ErasureRequest, pk=case_id)
    if case.status != S.SEALED:
        messages.error(request, _("A report can be written once the case is sealed."))
        return redirect("audits:case", case_id=case.pk)
    return carry_out(
        request,
        case,
        lambda: workflow.export(case_id=case.pk, user=staff_of(request)),
        _("The report is being written."),
    )
