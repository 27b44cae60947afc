"""Until when a closed case can say whose it was, and the decision to keep it longer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from audits import workflow
from audits.core.roles import Right
from audits.forms import PlainForm
from audits.models import CaseRetention, ErasureRequest
from audits.queries.retention import retention_of, why_kept
from audits.services.rights import has_right
from audits.views.access import staff_of
from audits.views.asking import asked_about, posted
from audits.views.intake_forms import radios
from audits.views.rights import needing

if TYPE_CHECKING:
    from uuid import UUID

    from django.contrib.auth.models import User
    from django.http import HttpRequest, HttpResponse

ASKED = {
    "title": _("Keep the case longer"),
    "lead": _(
        "Until that day the case can still say whose it was. It is for a complaint or a "
        "proceeding that runs; the reason is written into the log."
    ),
    "button": _("Keep it until that day"),
}
POSTPONED = {
    "LEGAL_HOLD": "a legal hold is on the person",
    "EXCEPTION": "records of the person are kept under an exception",
}


class KeepLongerForm(PlainForm):
    """Until when, and why."""

    reason = radios(_("Why is the case kept longer?"), dict(CaseRetention.Longer.choices))
    until = forms.DateField(
        label=_("Until which day?"),
        widget=forms.DateInput({"type": "date"}),
        error_messages={"required": _("Enter a day after the one on which it would go.")},
    )


@require_http_methods(["GET", "HEAD", "POST"])
@needing(Right.ADMINISTER)
def keep_longer(request: HttpRequest, case_id: UUID) -> HttpResponse:
    """Ask an administrator until when a case is kept, and why."""
    user = staff_of(request)
    case = get_object_or_404(ErasureRequest, pk=case_id)
    form = KeepLongerForm(posted(request))
    return asked_about(
        request,
        case,
        form,
        lambda: workflow.keep_longer(case_id=case.pk, user=user, **form.cleaned_data),
        gettext("Case %(reference)s is kept longer.") % {"reference": case.reference},
        ASKED,
    )


def kept_until(case: ErasureRequest, user: User) -> dict[str, Any]:
    """Return until when a case is kept, why longer, and whether that may be changed."""
    kept = retention_of(case)
    living = kept is not None and not kept.key_destroyed_at
    return {
        "retention": kept,
        "postponed": [POSTPONED[code] for code in why_kept(case)] if living else [],
        "may_keep_longer": living and has_right(user, Right.ADMINISTER),
    }
