"""The page of what suppliers say of a version that was bought or downloaded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django import forms
from django.contrib import messages
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_safe

from audits.core.roles import Right
from audits.forms import PlainForm
from audits.models import SupplierEvidence
from audits.queries.supplier import is_from_outside
from audits.services.rights import NotAllowed, has_right
from audits.services.supplier import MOST_STATEMENT, EvidenceRefused, add_evidence
from audits.views.access import page, staff_of, staff_page
from audits.views.choices import labels_of
from audits.views.downloads import attachment, not_there
from audits.views.problems import problems
from lineage.models import ModelVersion
from lineage.queries.artefacts import read_artefact

if TYPE_CHECKING:
    from uuid import UUID

    from django.http import HttpRequest, HttpResponse


class SupplierForm(PlainForm):
    """A document, and what it says."""

    kind = forms.ChoiceField(label=_("What is it?"), choices=labels_of(SupplierEvidence.Kind))
    supplier = forms.CharField(label=_("Who is the supplier?"), max_length=200)
    dated = forms.DateField(
        label=_("Which day does it bear?"),
        widget=forms.DateInput(attrs={"type": "date"}),
        error_messages={"invalid": _("Enter a day, such as 2030-03-31.")},
    )
    statement = forms.CharField(
        label=_("What does it say?"),
        help_text=_(
            "Such as on which data the model was trained, and how erasures are dealt with. "
            "This stands in sealed records; name no person."
        ),
        max_length=MOST_STATEMENT,
        widget=forms.Textarea(attrs={"rows": 4}),
    )
    file = forms.FileField(label=_("The document"))


@require_http_methods(["GET", "HEAD", "POST"])
@staff_page
def supplier_evidence(request: HttpRequest, version_id: UUID) -> HttpResponse:
    """List the documents about a version, and add one."""
    user, posted = staff_of(request), request.method == "POST"
    may_add = has_right(user, Right.OPERATE)
    if posted and not may_add:
        raise NotAllowed("You may not decide about models. That takes the role Model operator.")
    version = get_object_or_404(ModelVersion.objects.select_related("generated_by"), pk=version_id)
    form = SupplierForm(*((request.POST, request.FILES) if posted else ()))
    if posted and form.is_valid():
        given = form.cleaned_data
        data = given.pop("file").read()
        try:
            made = add_evidence(version=version, data=data, user=user, now=timezone.now(), **given)
        except EvidenceRefused as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, gettext("%(what)s is kept.") % {"what": made})
            return redirect("audits:supplier_evidence", version_id=version.pk)
    errors = problems(form, "kind")
    context = {
        "version": version,
        "rows": version.supplier_evidence.select_related("file", "added_by"),
        "from_outside": is_from_outside(version),
        "may_add": may_add,
        "form": form,
        "errors": errors,
    }
    return page(request, "audits/supplier.html", context, status=400 if errors else 200)


@require_safe
@staff_page
def supplier_file(request: HttpRequest, evidence_id: UUID) -> HttpResponse:
    """Return a document as it was stored, always as a download."""
    found = get_object_or_404(SupplierEvidence.objects.select_related("file"), pk=evidence_id)
    if found.file.destroyed_at:
        return not_there(
            request,
            gettext("The document is destroyed"),
            gettext("Its digest is still kept."),
            404,
        )
    name = f"{found.kind.lower().replace('_', '-')}-{found.file.sha256[:12]}.bin"
    return attachment(read_artefact(found.file), name, "application/octet-stream")
