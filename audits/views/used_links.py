"""What the page of a link says that was used: what became of the request, and what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

from audits.models import ErasureRequest
from audits.views.access import page
from audits.views.language import speak_to

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from audits.services.receiving import LinkNotUsable

S = ErasureRequest.Status
Outcome = ErasureRequest.Outcome
GONE = 410
UNDONE = (Outcome.WITHDRAWN, Outcome.EXPIRED)  # nothing was done; the form can be sent again


def not_usable(request: HttpRequest, error: LinkNotUsable) -> HttpResponse:
    """Say why a link to confirm does nothing any more, in the language of its request."""
    case = error.request
    if case is None:
        return page(request, "audits/link_not_usable.html", {"reason": str(error)}, status=GONE)
    speak_to(request, case)
    context = {"reason": _became(case), "case": case, "again": case.outcome in UNDONE}
    return page(request, "audits/link_used.html", context, status=GONE)


def _became(case: ErasureRequest) -> str:
    if case.outcome == Outcome.WITHDRAWN:
        return _(
            "You have withdrawn this request, so there is nothing left to confirm. If you have "
            "changed your mind, send the form again."
        )
    if case.outcome == Outcome.EXPIRED:
        return _(
            "Nobody confirmed this request in time, so we closed it and did nothing. If you "
            "still want it, send the form again."
        )
    if case.outcome or case.status == S.SEALED:
        return _(
            "You confirmed this request with it, and the request is closed. Our answer says what "
            "was done, and the status page in the same message shows it as well."
        )
    if case.status == S.RECEIVED:
        return _(
            "We have sent you a newer one, which takes its place. Please use the link in our "
            "newest message."
        )
    return _(
        "You confirmed this request with it, so nothing is left for you to do. The status page "
        "in the same message shows how far it is."
    )
