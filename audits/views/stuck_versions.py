"""What staff decide about a version that cannot be trained again here, or is held."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from django.forms import Form
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from audits import workflow
from audits.core.roles import Right
from audits.forms import DestroyForm, OutsideForm
from audits.models import ErasureRequest
from audits.queries import case_work
from audits.queries.releases import held_releases
from audits.queries.replacements import replacements_for
from audits.views.access import staff_of
from audits.views.asking import answered, ask, carry_out, posted
from audits.views.proving import proving
from audits.views.rights import needing
from unlearning.models import UnlearningRun
from unlearning.services.runs import RETRAIN

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

S = UnlearningRun.Status


@require_http_methods(["GET", "HEAD", "POST"])
@needing(Right.OPERATE)
@proving
def take_over(request: HttpRequest, case_id: UUID, run_id: UUID) -> HttpResponse:
    """Stop trying a run that cannot be carried out or audited, and decide about its version."""
    case = get_object_or_404(ErasureRequest, pk=case_id)
    run = get_object_or_404(case_work.stopped_runs(case), pk=run_id)
    if request.method != "POST":
        return ask(request, "audits/take_over.html", case, Form(), run=run)
    return carry_out(
        request,
        case,
        lambda: workflow.take_over(run_id=run.pk, user=staff_of(request)),
        _("%(version)s is trained again from scratch.") % {"version": run.target}
        if run.status == S.SUCCEEDED and run.method != RETRAIN
        else _("Choose now what becomes of %(version)s.") % {"version": run.target},
    )


@require_http_methods(["GET", "HEAD", "POST"])
@needing(Right.OPERATE)
@proving
def destroy(request: HttpRequest, case_id: UUID, run_id: UUID) -> HttpResponse:
    """Destroy a version that cannot be trained again, once its name was typed."""
    case = get_object_or_404(ErasureRequest, pk=case_id)
    run = get_object_or_404(case_work.waiting_runs(case), pk=run_id)
    form = DestroyForm(posted(request), name=str(run.target))
    if form.is_valid():
        return answered(
            request,
            "audits/destroy.html",
            case,
            form,
            lambda: workflow.destroy_version(run_id=run.pk, user=staff_of(request)),
            _("%(version)s will be destroyed.") % {"version": run.target},
            run=run,
        )
    return ask(request, "audits/destroy.html", case, form, run=run)


@require_http_methods(["GET", "HEAD", "POST"])
@needing(Right.OPERATE)
@proving
def outside(request: HttpRequest, case_id: UUID, run_id: UUID) -> HttpResponse:
    """Choose the version, retrained outside, that replaces an affected one."""
    case = get_object_or_404(ErasureRequest, pk=case_id)
    run = get_object_or_404(case_work.waiting_runs(case), pk=run_id)
    form = OutsideForm(posted(request), versions=replacements_for(run))
    if form.is_valid():
        version = UUID(form.cleaned_data["version"])
        return answered(
            request,
            "audits/outside.html",
            case,
            form,
            lambda: workflow.use_outside_version(
                run_id=run.pk, version_id=version, user=staff_of(request)
            ),
            _("%(version)s is being replaced.") % {"version": run.target},
            run=run,
        )
    return ask(request, "audits/outside.html", case, form, run=run)


@require_http_methods(["GET", "HEAD", "POST"])
@needing(Right.OPERATE)
@proving
def release(request: HttpRequest, case_id: UUID, run_id: UUID) -> HttpResponse:
    """Show an unlearned version although it got worse."""
    case = get_object_or_404(ErasureRequest, pk=case_id)
    held = get_object_or_404(held_releases(case), run_id=run_id)
    if request.method != "POST":
        return ask(request, "audits/release.html", case, Form(), run=held.run)
    return carry_out(
        request,
        case,
        lambda: workflow.release_held(run_id=held.run_id, user=staff_of(request)),
        _("%(version)s is in use.") % {"version": held.run.unlearned},
    )
