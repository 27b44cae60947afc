"""What staff decide about one version: an exception in a case, or destruction outside any."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django import forms
from django.contrib import messages
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_POST

from audits import workflow
from audits.core.roles import Right
from audits.forms import PlainForm
from audits.models import ErasureRequest, VersionException
from audits.queries.page_words import day, retold
from audits.queries.told import affected_versions
from audits.services import destruction
from audits.services.version_exceptions import LEAST_REASON, ExceptionRefused
from audits.views.access import page, staff_of
from audits.views.asking import ask, posted
from audits.views.problems import problems
from audits.views.proving import proving
from audits.views.rights import needing
from lineage.artifacts import ArtefactRemains
from lineage.models import ModelVersion

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

    from django.http import HttpRequest, HttpResponse


class ExceptForm(PlainForm):
    """Why a version stays, and until when."""

    version = forms.ModelChoiceField(
        label=_("Which version stays?"),
        queryset=ModelVersion.objects.none(),
        empty_label=_("Choose one"),
        error_messages={
            "required": _("Select a version."),
            "invalid_choice": _("Select a version."),
        },
    )
    code = forms.ChoiceField(
        label=_("On which exception?"),
        choices=VersionException.Code.choices,
        widget=forms.RadioSelect,
        error_messages={
            "required": _("Select a reason."),
            "invalid_choice": _("Select a reason."),
        },
    )
    reason = forms.CharField(
        label=_("Why does it apply to this version?"),
        help_text=_("The person may be told this; name nobody else."),
        min_length=LEAST_REASON,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 4}),
        error_messages={
            "required": _("Write the reason."),
            "min_length": _("Write at least %(limit_value)d characters."),
        },
    )
    until = forms.DateField(
        label=_("Until which day?"),
        widget=forms.DateInput(attrs={"type": "date"}),
        error_messages={"required": _("Enter a day."), "invalid": _("Enter a day as 2027-12-31.")},
    )


class DestroyModelForm(PlainForm):
    """Why a version is destroyed, and its name typed by hand."""

    ground = forms.ChoiceField(
        label=_("Why is it destroyed?"),
        choices=[(str(key), words) for key, words in destruction.GROUNDS.items()],
        widget=forms.RadioSelect,
        error_messages={
            "required": _("Select a reason."),
            "invalid_choice": _("Select a reason."),
        },
    )
    name = forms.CharField(
        label=_("Type the name of the version to confirm"),
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
        error_messages={"required": _("Type the name of the version.")},
    )


@require_http_methods(["GET", "HEAD", "POST"])
@needing(Right.OPERATE)
def except_version(request: HttpRequest, case_id: UUID) -> HttpResponse:
    """Propose that an affected version stays; a reviewer approves."""
    user = staff_of(request)
    case = get_object_or_404(ErasureRequest, pk=case_id)
    form = ExceptForm(posted(request))
    form.fields["version"].queryset = affected_versions(case)  # type: ignore[attr-defined]
    if not form.is_valid():
        return ask(request, "audits/except_version.html", case, form)
    try:
        workflow.propose_exception(case_id=case.pk, user=user, **form.cleaned_data)
    except ExceptionRefused as error:
        form.add_error(None, str(error))
        return ask(request, "audits/except_version.html", case, form)
    messages.success(request, gettext("The exception is proposed; somebody else approves it."))
    return redirect("audits:case", case_id=case.pk)


@require_POST
@needing(Right.REVIEW)
@proving
def approve_exception(request: HttpRequest, case_id: UUID, exception_id: int) -> HttpResponse:
    """Let the version stay."""
    found = get_object_or_404(VersionException, pk=exception_id, request=case_id)
    return _said(
        request,
        case_id,
        lambda: workflow.approve_exception(exception_id=found.pk, user=staff_of(request)),
        gettext("%(version)s stays until %(day)s.")
        % {"version": found.version, "day": day(found.until)},
    )


@require_POST
@needing(Right.OPERATE)
def drop_exception(request: HttpRequest, case_id: UUID, exception_id: int) -> HttpResponse:
    """Take a proposal back."""
    found = get_object_or_404(VersionException, pk=exception_id, request=case_id)
    return _said(
        request,
        case_id,
        lambda: workflow.drop_exception(exception_id=found.pk, user=staff_of(request)),
        gettext("The proposal is taken back."),
    )


@require_http_methods(["GET", "HEAD", "POST"])
@needing(Right.OPERATE)
@proving
def destroy_model(request: HttpRequest, version_id: UUID) -> HttpResponse:
    """Destroy a version outside a case, once its name was typed."""
    version = get_object_or_404(ModelVersion, pk=version_id)
    form = DestroyModelForm(posted(request))
    if form.is_valid() and _destroyed(request, form, version):
        return redirect("lineage:version", version_id=version.pk)
    errors = problems(form)
    context = {"form": form, "version": version, "errors": errors}
    return page(request, "audits/destroy_model.html", context, status=400 if errors else 200)


def _destroyed(request: HttpRequest, form: DestroyModelForm, version: ModelVersion) -> bool:
    given = form.cleaned_data
    try:
        count = destruction.destroy(
            version=version,
            typed=given["name"],
            ground=given["ground"],
            user=staff_of(request),
            now=timezone.now(),
        )
    except (destruction.DestructionRefused, destruction.VersionRemains, ArtefactRemains) as error:
        form.add_error("name", str(error))
        return False
    done = ngettext(
        "%(version)s is destroyed: %(count)s file, read back as gone.",
        "%(version)s is destroyed: %(count)s files, read back as gone.",
        count,
    )
    messages.success(request, done % {"version": version, "count": count})
    return True


def _said(
    request: HttpRequest, case_id: UUID, call: Callable[[], object], done: str
) -> HttpResponse:
    try:
        call()
    except ExceptionRefused as error:
        messages.error(request, retold(error))
    else:
        messages.success(request, done)
    return redirect("audits:case", case_id=case_id)
