"""Propose a decision about a request, approve it, or send it back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib import messages
from django.forms import Form
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from audits import workflow
from audits.core.roles import Right
from audits.models import Decision, ErasureRequest, LocationException
from audits.queries import decisions
from audits.queries.accounts import accounts_of
from audits.queries.holds import holds_on
from audits.services.deciding import local_day
from audits.views.access import page, staff_of
from audits.views.applicable import not_applicable, undecided
from audits.views.asking import SAID_NO, answered, ask, carry_out, posted
from audits.views.deciding_forms import FIRST, AcceptForms, RefuseForm, ReturnForm
from audits.views.problems import problems
from audits.views.proving import proving
from audits.views.rights import may, needing
from lineage.models import Dataset
from lineage.queries.subjects import records_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

    from django.http import HttpRequest, HttpResponse

HELD_UP = ("VERIFIED", "ON_HOLD")  # where a page says which holds stand in the way
EVERY_WAY = ("GET", "HEAD", "POST")


@require_http_methods(EVERY_WAY)
@needing(Right.HANDLE)
@proving
def accept(request: HttpRequest, case_id: UUID) -> HttpResponse:
    """Propose to accept, on grounds and with exceptions."""
    case = get_object_or_404(ErasureRequest, pk=case_id)
    if request.method != "POST" and (reason := undecided(case)):
        return not_applicable(request, case, _("Accept the request"), reason)
    today = local_day(timezone.now())
    form = AcceptForms(posted(request), datasets=_datasets(case), today=today)
    refused = ""
    if form.is_valid():
        assessed = form.assessed()
        refused = _propose(
            request,
            case,
            lambda: workflow.accept(
                case_id=case.pk,
                ground=assessed.grounds[0].code,
                user=staff_of(request),
                assessed=assessed,
            ),
            _("Case %(reference)s was accepted. The erasure has started."),
        )
        if not refused:
            return redirect("audits:case", case_id=case.pk)
    errors = [(FIRST, refused)] if refused else form.errors()
    context = {"case": case, "form": form, "errors": errors, **_what_follows(case)}
    return page(request, "audits/accept.html", context, status=400 if errors else 200)


@require_http_methods(EVERY_WAY)
@needing(Right.HANDLE)
@proving
def refuse(request: HttpRequest, case_id: UUID) -> HttpResponse:
    """Propose to refuse, for a coded reason."""
    case = get_object_or_404(ErasureRequest, pk=case_id)
    if request.method != "POST" and (reason := undecided(case)):
        return not_applicable(request, case, _("Refuse the request"), reason)
    form = RefuseForm(posted(request))
    if form.is_valid():
        code = form.cleaned_data["code"]
        refused = _propose(
            request,
            case,
            lambda: workflow.refuse(
                case_id=case.pk, code=code, user=staff_of(request), assessed=form.assessed()
            ),
            _("Case %(reference)s was refused. The person is being told why."),
        )
        if not refused:
            return redirect("audits:case", case_id=case.pk)
        form.add_error(None, refused)
    errors = problems(form)
    context = {
        "case": case,
        "form": form,
        "errors": errors,
        "earlier": decisions.earlier_requests(case),
        **_what_follows(case),
    }
    return page(request, "audits/refuse.html", context, status=400 if errors else 200)


@require_http_methods(EVERY_WAY)
@needing(Right.REVIEW)
@proving
def approve(request: HttpRequest, case_id: UUID, decision_id: UUID) -> HttpResponse:
    """Ask once more, then approve what was proposed."""
    case = get_object_or_404(ErasureRequest, pk=case_id)
    found = get_object_or_404(Decision, pk=decision_id, request=case)
    if request.method != "POST":
        context = {"case": case, "form": Form(), **panel(request, case), "proposal": found}
        return page(request, "audits/approve_decision.html", context)
    accepts = found.kind == Decision.Kind.ACCEPT
    done = (
        _("Case %(reference)s was accepted.") if accepts else _("Case %(reference)s was refused.")
    )
    return carry_out(
        request,
        case,
        lambda: workflow.approve_decision(decision=found, user=staff_of(request)),
        done % {"reference": case.reference},
    )


@require_http_methods(EVERY_WAY)
@needing(Right.REVIEW)
def send_back(request: HttpRequest, case_id: UUID, decision_id: UUID) -> HttpResponse:
    """Send a proposed decision back with a note."""
    case = get_object_or_404(ErasureRequest, pk=case_id)
    found = get_object_or_404(Decision, pk=decision_id, request=case)
    form = ReturnForm(posted(request))
    if form.is_valid():
        note = form.cleaned_data["note"]
        return answered(
            request,
            "audits/return_decision.html",
            case,
            form,
            lambda: workflow.return_decision(decision=found, note=note, user=staff_of(request)),
            _("The decision about %(reference)s was sent back.") % {"reference": case.reference},
        )
    return ask(request, "audits/return_decision.html", case, form)


@require_http_methods(EVERY_WAY)
@needing(Right.HANDLE)
@proving
def erase_excepted(request: HttpRequest, case_id: UUID, exception_id: UUID) -> HttpResponse:
    """Open the case that erases what an ended exception kept; of a place, note that it was."""
    case = get_object_or_404(ErasureRequest, pk=case_id)
    found = get_object_or_404(LocationException, pk=exception_id, decision__request=case)
    if request.method != "POST":
        context = {"case": case, "exception": found}
        return page(request, "audits/erase_excepted.html", context)
    if found.place:
        return carry_out(
            request,
            case,
            lambda: workflow.note_place_erased(exception_id=found.pk, user=staff_of(request)),
            _("It was noted that %(place)s was erased from.") % {"place": found.place},
        )
    return carry_out(
        request,
        case,
        lambda: workflow.erase_excepted(exception_id=found.pk, user=staff_of(request)),
        _("A case that erases what %(reference)s kept was opened.")
        % {"reference": case.reference},
    )


def panel(request: HttpRequest, case: ErasureRequest) -> dict[str, Any]:
    """Return what the page of a case shows of its decision."""
    proposal = decisions.proposed(case)
    shown = proposal or decisions.decided(case)
    return {
        "proposal": proposal,
        "decided": shown,
        "sent_back": decisions.sent_back(case),
        "grounds": sorted(shown.grounds.all(), key=lambda one: one.pk) if shown else [],
        "exceptions": shown.exceptions.all() if shown else [],
        "case_holds": holds_on(case) if case.status in HELD_UP else [],
        "may_handle": may(request, Right.HANDLE),
        "may_review": may(request, Right.REVIEW),
        "own_proposal": proposal is not None
        and proposal.proposed_by_id in accounts_of(staff_of(request)),
        "own_request": case.status == "VERIFIED"
        and decisions.is_own_request(case, staff_of(request)),
    }


def _datasets(case: ErasureRequest) -> list[Dataset]:
    held = records_of(case.subject) if case.subject else {}
    return list(Dataset.objects.filter(space__in=list(held)).order_by("name"))


def _what_follows(case: ErasureRequest) -> dict[str, Any]:
    mode = settings.EXPUNGE_SECOND_PERSON
    return {"mode": mode, "case_holds": holds_on(case)}


def _propose(
    request: HttpRequest, case: ErasureRequest, call: Callable[[], Decision], done: str
) -> str:
    """Return why nothing was proposed; "" once it was."""
    try:
        proposal = call()
    except SAID_NO as error:
        return str(error)
    waits = proposal.state == Decision.State.PROPOSED
    second = _(
        "Case %(reference)s: your decision is proposed. Somebody else approves it or sends it "
        "back."
    )
    messages.success(request, (second if waits else done) % {"reference": case.reference})
    return ""
