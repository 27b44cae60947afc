"""The register of legal holds: list, place, release."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import messages
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from audits import workflow
from audits.core.roles import Right
from audits.models import LegalHold
from audits.queries.holds import active_holds, is_unknown, released_holds
from audits.services.deciding import local_day
from audits.views.access import page, staff_of, staff_page
from audits.views.asking import posted
from audits.views.hold_forms import HoldForm
from audits.views.problems import problems
from audits.views.proving import proving
from audits.views.rights import may, needing

if TYPE_CHECKING:
    from uuid import UUID

    from django.http import HttpRequest, HttpResponse

SHOWN = 50


@require_safe
@staff_page
def register(request: HttpRequest) -> HttpResponse:
    """List the holds that stand, and the last ones that were released."""
    context = {
        "active": active_holds(),
        "released": released_holds()[:SHOWN],
        "today": local_day(timezone.now()),
        "may_register": may(request, Right.REGISTER),
    }
    return page(request, "audits/holds.html", context)


@require_http_methods(("GET", "HEAD", "POST"))
@needing(Right.REGISTER)
def place(request: HttpRequest) -> HttpResponse:
    """Place a hold."""
    form = HoldForm(posted(request), today=local_day(timezone.now()))
    if form.is_valid():
        workflow.place_hold(**form.cleaned_data, user=staff_of(request))
        messages.success(request, _("The hold stands. Cases that it concerns stop by themselves."))
        if is_unknown(form.cleaned_data["kind"], form.cleaned_data["identifier"]):
            messages.warning(request, _unknown())
        return redirect("audits:holds")
    errors = problems(form)
    context = {"form": form, "errors": errors}
    return page(request, "audits/place_hold.html", context, status=400 if errors else 200)


@require_http_methods(("GET", "HEAD", "POST"))
@needing(Right.REGISTER)
@proving
def release(request: HttpRequest, hold_id: UUID) -> HttpResponse:
    """Ask once more, then release a hold."""
    hold = get_object_or_404(LegalHold, pk=hold_id)
    if request.method != "POST":
        return page(request, "audits/release_hold.html", {"hold": hold})
    if workflow.release_hold(hold_id=hold.pk, user=staff_of(request)):
        messages.success(request, _("The hold is released. The cases that it stopped go on."))
    else:
        messages.error(request, _("This hold was released before."))
    return redirect("audits:holds")


def _unknown() -> str:
    return _(
        "Nobody is known under this address or number by now. Check how it is spelled; if it is "
        "wrong, release the hold and place another. It also counts for records that come later."
    )
