"""Who owns which model, what their budgets are, and the cases that wait for one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import messages
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from audits import workflow
from audits.core.roles import Right
from audits.forms import PlainForm
from audits.models import ErasureRequest, ModelOwner
from audits.queries.owner_budgets import OwnerRow, owner_of, owner_rows
from audits.queries.page_words import duration
from audits.services.owner_budgets import MOST_DAYS, MOST_RUNS, BudgetRefused
from audits.services.rights import require
from audits.views import applicable
from audits.views.access import page, staff_of, staff_page
from audits.views.asking import asked_about, posted
from audits.views.problems import problems
from audits.views.rights import may, needing
from lineage.models import ModelVersion

if TYPE_CHECKING:
    from uuid import UUID

    from django.http import HttpRequest, HttpResponse

LIFTED = {
    "title": _("Lift the budget for this case"),
    "lead": _(
        "What the case still needs goes on whatever the owners of its models spent. The reason "
        "is kept, and its digest is written into the log."
    ),
    "button": _("Lift it"),
}


class BudgetForm(PlainForm):
    """An owner and what may be computed for it."""

    name = forms.CharField(
        label=_("Which owner?"),
        help_text=_("The name of a team, never of a person. A name that is listed is changed."),
        max_length=100,
    )
    seconds = forms.FloatField(
        label=_("Seconds of computing in 30 days"),
        help_text=_("May stay empty: then there is no limit."),
        min_value=0,
        required=False,
    )
    runs = forms.IntegerField(
        label=_("Unlearning runs in a day"),
        help_text=_("May stay empty: then there is no limit."),
        min_value=0,
        max_value=MOST_RUNS,
        required=False,
    )
    lead_days = forms.IntegerField(
        label=_("Days before a due date from which the work goes on regardless"),
        min_value=1,
        max_value=MOST_DAYS,
        initial=7,
    )


class OwnerForm(PlainForm):
    """Whose a model is."""

    owner = forms.ModelChoiceField(
        label=_("Whose is the model, with all its versions?"),
        queryset=ModelOwner.objects.order_by("name"),
        empty_label=_("nobody's"),
        required=False,
    )


class LiftForm(PlainForm):
    """Why a case does not wait."""

    reason = forms.CharField(
        label=_("Why does this case not wait for the budget?"),
        help_text=_("Ten characters or more; name no person."),
        max_length=500,
    )


@require_http_methods(["GET", "HEAD", "POST"])
@staff_page
def owners(request: HttpRequest) -> HttpResponse:
    """List every owner with what was spent of its budget; an administrator sets one."""
    user = staff_of(request)
    form = BudgetForm(posted(request))
    if request.method == "POST":
        require(user, Right.ADMINISTER)
        if form.is_valid() and _kept(request, form):
            return redirect("audits:owners")
    context = {
        "rows": [_row(one) for one in owner_rows(timezone.now())],
        "form": form,
        "errors": problems(form),
        "may_set": may(request, Right.ADMINISTER),
    }
    return page(request, "audits/owners.html", context, status=400 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@needing(Right.OPERATE)
def set_owner(request: HttpRequest, version_id: UUID) -> HttpResponse:
    """Ask whose the model of a version is."""
    version = get_object_or_404(ModelVersion, pk=version_id)
    now = owner_of(version)
    form = OwnerForm(posted(request), initial={"owner": now.pk if now else None})
    if form.is_valid():
        chosen = form.cleaned_data["owner"]
        workflow.set_owner(
            version_id=version.pk, owner_id=chosen.pk if chosen else None, user=staff_of(request)
        )
        done = gettext("The owner of %(model)s is noted.") % {"model": version.model_name}
        messages.success(request, done)
        return redirect("lineage:version", version_id=version.pk)
    context = {"version": version, "form": form, "errors": problems(form)}
    return page(request, "audits/set_owner.html", context, status=400 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@needing(Right.OPERATE)
def lift_budget(request: HttpRequest, case_id: UUID) -> HttpResponse:
    """Ask why a case does not wait for the budget of an owner."""
    user = staff_of(request)
    case = get_object_or_404(ErasureRequest, pk=case_id)
    if request.method != "POST" and (reason := applicable.lift_budget(case)):
        return applicable.not_applicable(request, case, LIFTED["title"], reason)
    form = LiftForm(posted(request))
    return asked_about(
        request,
        case,
        form,
        lambda: workflow.lift_budget(case_id=case.pk, user=user, **form.cleaned_data),
        gettext("Case %(reference)s waits for no budget.") % {"reference": case.reference},
        LIFTED,
    )


def _kept(request: HttpRequest, form: BudgetForm) -> bool:
    try:
        made = workflow.set_budget(**form.cleaned_data, user=staff_of(request))
    except BudgetRefused as error:
        form.add_error(None, str(error))
        return False
    messages.success(request, gettext("The budget of %(owner)s is set.") % {"owner": made})
    return True


def _row(one: OwnerRow) -> dict[str, Any]:
    limit = one.owner.seconds
    return {
        "told": one,
        "spent": duration(one.spent.seconds),
        "limit": "" if limit is None else duration(limit),
    }
