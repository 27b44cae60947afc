"""Claim that a version is anonymous, attack by attack."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django import forms
from django.contrib import messages
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from audits.core.roles import Right
from audits.forms import PlainForm
from audits.models import Evidence
from audits.queries import anonymity as queries
from audits.services import anonymity
from audits.views.access import page, staff_of
from audits.views.asking import posted
from audits.views.problems import problems
from audits.views.proving import proving
from audits.views.rights import needing
from lineage.models import ModelVersion

if TYPE_CHECKING:
    from uuid import UUID

    from django.http import HttpRequest, HttpResponse, QueryDict


class ClaimForm(PlainForm):
    """Evidence to choose, and a field for each attack that it does not answer."""

    evidence = forms.ModelMultipleChoiceField(
        label=_("Which evidence shows it?"),
        queryset=Evidence.objects.none(),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )

    def __init__(self, data: QueryDict | None, *, version: ModelVersion) -> None:
        super().__init__(data)
        found = queries.evidence_about(version)
        self.fields["evidence"].queryset = found  # type: ignore[attr-defined]
        self.names = dict(enumerate(queries.families()))
        for place, title in enumerate(queries.families().values()):
            self.fields[f"reason_{place}"] = forms.CharField(
                label=gettext("%(attack)s: why is no evidence needed?")
                % {"attack": gettext(title)},
                required=False,
                max_length=1000,
                widget=forms.Textarea(attrs={"rows": 2}),
            )

    def reasons(self) -> dict[str, str]:
        """Return what was written, by name of the attack."""
        return {name: self.cleaned_data[f"reason_{place}"] for place, name in self.names.items()}


@require_http_methods(["GET", "HEAD", "POST"])
@needing(Right.OPERATE)
@proving
def claim_anonymity(request: HttpRequest, version_id: UUID) -> HttpResponse:
    """Claim it, or take the claim back."""
    user = staff_of(request)
    version = get_object_or_404(ModelVersion, pk=version_id)
    if request.method == "POST" and "drop" in request.POST:
        anonymity.drop(version=version, user=user, now=timezone.now())
        messages.success(
            request,
            gettext("%(version)s is not claimed to be anonymous any more.") % {"version": version},
        )
        return redirect("lineage:version", version_id=version.pk)
    form = ClaimForm(posted(request), version=version)
    if form.is_valid():
        try:
            anonymity.claim(
                version=version,
                evidence=[one.pk for one in form.cleaned_data["evidence"]],
                reasons=form.reasons(),
                user=user,
                now=timezone.now(),
            )
        except anonymity.ClaimRefused as error:
            form.add_error(None, str(error))
        else:
            messages.success(
                request, gettext("%(version)s is claimed to be anonymous.") % {"version": version}
            )
            return redirect("lineage:version", version_id=version.pk)
    errors = problems(form, "reason_0" if "reason_0" in form.fields else "")
    claimed = queries.status_of(version) == queries.CLAIMED
    context = {"form": form, "version": version, "errors": errors, "claimed": claimed}
    return page(request, "audits/anonymity.html", context, status=400 if errors else 200)
