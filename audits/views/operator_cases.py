"""The operator's own cases: start one, look at its forget set, propose and approve it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django.contrib import messages
from django.core.paginator import Paginator
from django.forms import ValidationError
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST
from pyroaring import BitMap

from audits import workflow
from audits.core.roles import Right
from audits.models import ErasureRequest, OperatorCase
from audits.queries import named_records
from audits.queries.exceptions import must_be_kept
from audits.queries.operator_cases import (
    account,
    chosen_of,
    digest_of,
    may_approve,
    may_look,
    needs_scores,
    seeds_of,
    shown_records,
)
from audits.queries.page_words import retold
from audits.services.operator_checks import ForgetSetRefused
from audits.views.access import page, staff_of, staff_page
from audits.views.asking import SAID_NO, carry_out
from audits.views.new_case_form import NewCaseForm, RecordsField
from audits.views.previews import asked, looked_at, may_open
from audits.views.problems import problems
from audits.views.progress import progress_of
from audits.views.proving import proving
from audits.views.rights import may, needing, rights_of
from audits.views.wording import status_badge
from lineage.services.snapshots import OrdinalsUnknown

if TYPE_CHECKING:
    from uuid import UUID

    from django.core.paginator import Page
    from django.http import HttpRequest, HttpResponse

    from audits.views.previews import Looked

S = ErasureRequest.Status
PER_PAGE = 100


@require_http_methods(["GET", "HEAD", "POST"])
@needing(Right.HANDLE)
def start(request: HttpRequest) -> HttpResponse:
    """Open a case that no data subject asked for."""
    sent = request.method == "POST"
    form = NewCaseForm(request.POST, request.FILES) if sent else NewCaseForm()
    if form.is_valid():
        try:
            case = workflow.open_case(new=form.new_case(), user=staff_of(request))
        except (ForgetSetRefused, OrdinalsUnknown) as error:
            form.add_error(None, str(error))
        else:
            done = _("Case %(reference)s was opened.") % {"reference": case.request.reference}
            messages.success(request, done)
            return redirect("audits:forget_set", case_id=case.pk)
    errors = problems(form, "records")
    context = {"form": form, "errors": errors}
    return page(request, "audits/new_case.html", context, status=400 if errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_page
def forget_set(request: HttpRequest, case_id: UUID) -> HttpResponse:
    """Show what is proposed, and take the choice of the proposer."""
    if request.method == "POST":
        return _chosen(request, case_id)
    case = _case(case_id)
    chosen, seeds = chosen_of(case), seeds_of(case)
    scoring = case.request.status == S.DRAFT and needs_scores(case)
    shown = Paginator(shown_records(case), PER_PAGE).get_page(request.GET.get("page"))
    user = staff_of(request)
    told = account(case)
    looking = asked(request) and may_look(case.request) and not scoring
    context = {
        "looking": looking,
        "may_look": may_open(request) and may_look(case.request),
        "query": "show=contents&" if looking else "",
        "case": case.request,
        "operator": case,
        "status": status_badge(case.request),
        "progress": progress_of(case.request, timezone.now()),
        "rows": _rows(case, shown, _opened(request, case, shown) if looking else {}),
        "shown": shown,
        "records": told["chosen"],
        "gone": told["chosen"] - len(chosen),
        "seeds": told["seeds"],
        "found": len(chosen - seeds),
        "kept": len(chosen & must_be_kept(case.space)),
        "labels": named_records.label_counts(case.space, chosen),
        "digest": digest_of(case),
        "scoring": scoring,
        "choosing": case.request.status == S.DRAFT and may(request, Right.HANDLE),
        "deciding": case.request.status == S.PROPOSED and may(request, Right.HANDLE, Right.REVIEW),
        "objection": may_approve(case, user),
        **rights_of(request),
    }
    return page(request, "audits/forget_set.html", context)


@needing(Right.HANDLE)
def _chosen(request: HttpRequest, case_id: UUID) -> HttpResponse:
    """Keep the choice among the records shown, with those added by hand; then propose."""
    case = _case(case_id)
    user = staff_of(request)
    try:
        also: BitMap = RecordsField(required=False).clean(request.POST.get("also", ""))
        left = chosen_of(case) - _numbers(request, "shown")
        ordinals = left | _numbers(request, "keep") | also
        if ordinals != chosen_of(case):
            workflow.choose_records(case_id=case.pk, ordinals=ordinals, user=user)
        if request.POST.get("action") == "propose":
            workflow.propose_forget_set(case_id=case.pk, user=user)
    except ValidationError as error:
        messages.error(request, " ".join(map(retold, error.messages)))
    except SAID_NO as error:
        messages.error(request, retold(error))
    else:
        proposed = request.POST.get("action") == "propose"
        messages.success(
            request,
            _("The forget set is proposed. A second member of staff decides about it.")
            if proposed
            else _("Your choice is kept."),
        )
    at = {name: request.GET[name] for name in ("show", "page") if name in request.GET}
    back = reverse("audits:forget_set", args=[case.pk])
    return redirect(f"{back}?{urlencode(at)}" if at else back)


@require_POST
@needing(Right.REVIEW)
@proving
def approve(request: HttpRequest, case_id: UUID) -> HttpResponse:
    """Approve the forget set that was shown; a deletion is confirmed by the case's reference."""
    case = _case(case_id)
    deleting = case.disposal == OperatorCase.Disposal.DELETE
    if deleting and request.POST.get("confirm", "").strip() != case.request.reference:
        messages.error(
            request,
            _("The records of this case will be deleted. Type %(reference)s to confirm.")
            % {"reference": case.request.reference},
        )
        return redirect("audits:forget_set", case_id=case.pk)
    return carry_out(
        request,
        case.request,
        lambda: workflow.approve_forget_set(
            case_id=case.pk, digest=request.POST.get("digest", ""), user=staff_of(request)
        ),
        _("The forget set of %(reference)s is approved. The unlearning has started.")
        % {"reference": case.request.reference},
    )


@require_POST
@needing(Right.HANDLE, Right.REVIEW)
def send_back(request: HttpRequest, case_id: UUID) -> HttpResponse:
    """Have the forget set chosen anew."""
    case = _case(case_id)
    return carry_out(
        request,
        case.request,
        lambda: workflow.return_forget_set(case_id=case.pk, user=staff_of(request)),
        _("The forget set can be chosen anew."),
    )


@require_http_methods(["GET", "HEAD", "POST"])
@needing(Right.HANDLE)
@proving
def drop(request: HttpRequest, case_id: UUID) -> HttpResponse:
    """Ask whether a case that was not approved is closed, and close it."""
    case = _case(case_id)
    if request.method != "POST":
        context = {"case": case.request, "records": len(chosen_of(case))}
        return page(request, "audits/drop_case.html", context)
    return carry_out(
        request,
        case.request,
        lambda: workflow.drop_case(case_id=case.pk, user=staff_of(request)),
        _("Case %(reference)s is dropped. Every record stays where it is.")
        % {"reference": case.request.reference},
    )


def _case(case_id: UUID) -> OperatorCase:
    found = OperatorCase.objects.select_related("request", "space", "version")
    return get_object_or_404(found, pk=case_id)


def _numbers(request: HttpRequest, field: str) -> BitMap:
    return named_records.listed(",".join(request.POST.getlist(field)))


def _opened(request: HttpRequest, case: OperatorCase, shown: Page[int]) -> Looked:
    return looked_at(request, case.pk, {case.space: BitMap(list(shown))})


def _rows(case: OperatorCase, shown: Page[int], looked: Looked) -> list[dict[str, Any]]:
    ordinals, chosen, seeds = list(shown), chosen_of(case), seeds_of(case)
    scores = {row.ordinal: row for row in case.scored.filter(ordinal__in=ordinals)}
    labels = named_records.labels_of(case.space, ordinals)
    return [
        {
            "ordinal": ordinal,
            "label": labels.get(ordinal, ""),
            "scored": scores.get(ordinal),
            "seed": ordinal in seeds,
            "chosen": ordinal in chosen,
            "look": looked.get((case.space_id, ordinal)),
        }
        for ordinal in ordinals
    ]
