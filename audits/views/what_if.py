"""What would happen to a version if somebody asked today: a question, and the planner's answer.

The identifier of a person is posted, never part of an address, and kept nowhere.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django import forms
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_safe

from audits import workflow
from audits.models import PlanPreview
from audits.queries import previewed
from audits.queries.page_words import retold
from audits.services.plan_previews import ASKERS, KEPT_FOR
from audits.views.access import page, staff_of
from audits.views.asking import posted
from audits.views.progress import fragment
from audits.views.rights import needing, rights_of
from audits.views.weighing import ways_of
from audits.views.wording import method_title
from lineage.models import Job, ModelVersion, PausedQueue

if TYPE_CHECKING:
    from uuid import UUID

    from django.http import HttpRequest, HttpResponse

WORKING, DONE, FAILED = "working", "done", "failed"
# A worker takes a job within a second; after this long somebody should look.
PATIENCE = timedelta(seconds=60)
PHASES = {"queued": "Waiting for a worker", "weighing": "Weighing the ways"}


class WhatIfForm(forms.Form):
    """Whose records, or which."""

    by = forms.ChoiceField(
        label=_("For whom do you ask?"),
        choices=[
            ("PERSON", _("A person, by e-mail address or identifier")),
            ("RECORDS", _("Certain records, by number")),
            ("NUMBER", _("As many records, evenly spread over those it was trained on")),
        ],
        widget=forms.RadioSelect,
        error_messages={
            "required": _("Select for whom."),
            "invalid_choice": _("Select for whom."),
        },
    )
    which = forms.CharField(
        label=_("Which?"),
        help_text=_(
            "An address; or numbers and ranges such as 3, 7-9; or how many. It is used to "
            "find the records and is not kept."
        ),
        max_length=2000,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
        error_messages={"required": _("Enter an address, numbers, or how many.")},
    )


@require_http_methods(["GET", "HEAD", "POST"])
@needing(*ASKERS)
def what_if(request: HttpRequest, version_id: UUID) -> HttpResponse:
    """Ask for whom, and have a worker answer."""
    version = get_object_or_404(ModelVersion, pk=version_id)
    form = WhatIfForm(posted(request))
    if _answerable(version) and form.is_valid():
        by = PlanPreview.By(form.cleaned_data["by"])
        try:
            forget = previewed.named(by, form.cleaned_data["which"], version)
        except previewed.NothingNamed as reason:
            form.add_error("which", retold(reason))
        else:
            made = workflow.preview_plan(
                version_id=version.pk, by=by, forget=forget, user=staff_of(request)
            )
            return redirect("audits:what_if_answer", version_id=version.pk, preview_id=made.pk)
    errors = [(f"#id_{name}", text) for name, said in form.errors.items() for text in said]
    context = {
        "version": version,
        "form": form,
        "errors": errors,
        "answerable": _answerable(version),
    }
    return page(request, "audits/what_if.html", context, status=400 if errors else 200)


@require_safe
@needing(*ASKERS)
def answer(request: HttpRequest, version_id: UUID, preview_id: UUID) -> HttpResponse:
    """Show what the planner said, to whoever asked."""
    preview = _mine(request, version_id, preview_id)
    told = preview.result
    ways = ways_of(told.get("weighed", {}), told.get("method", ""))
    context = {
        "version": preview.version,
        "preview": preview,
        "told": told,
        "method": method_title(told["method"]) if told.get("method") else "",
        "ways": ways,
        "taken": next((way for way in ways if way.taken), None),
        **_watched(preview),
        **rights_of(request),
    }
    return page(request, "audits/what_if_answer.html", context)


@require_safe
@needing(*ASKERS)
def progress(request: HttpRequest, version_id: UUID, preview_id: UUID) -> HttpResponse:
    """Return the part of that page that says whether the answer is there."""
    watched = _watched(_mine(request, version_id, preview_id))
    return fragment(request, render_to_string("audits/_what_if_live.html", watched))


def _answerable(version: ModelVersion) -> bool:
    there = version.state != ModelVersion.State.DESTROYED
    return there and version.kind == ModelVersion.Kind.MODEL


def _mine(request: HttpRequest, version_id: UUID, preview_id: UUID) -> PlanPreview:
    """Return a question of the member of staff who looks; 404 for anybody else's."""
    found = PlanPreview.objects.select_related("version", "asked_by")
    preview = found.filter(pk=preview_id, version=version_id).first()
    if preview is None or preview.asked_by != staff_of(request):
        raise Http404
    return preview


def _watched(preview: PlanPreview) -> dict[str, Any]:
    job = Job.objects.filter(kind="PREVIEW", payload_id=preview.pk).first()
    failed = job is not None and job.status in (Job.Status.FAILED, Job.Status.CANCELLED)
    state = DONE if preview.ended_at else FAILED if failed else WORKING
    queued = job if job is not None and job.status == Job.Status.QUEUED else None
    return {
        "state": state,
        "phase": PHASES["queued" if queued else "weighing"],
        "paused": queued and PausedQueue.objects.filter(queue=queued.queue).first(),
        "gone_at": preview.created_at + KEPT_FOR,
        "stuck": state == WORKING and preview.created_at < timezone.now() - PATIENCE,
        "error": job.error if job and failed else "",
        "error_code": job.error_code if job and failed else "",
    }
