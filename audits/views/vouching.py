"""The service that vouches for staff: where to sign in once more, and what if it is away."""

from __future__ import annotations

import logging
from functools import wraps
from typing import TYPE_CHECKING

from django.conf import settings
from django.http import Http404
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_safe
from requests import RequestException

from audits.queries.sign_in import is_stale
from audits.views.access import page, staff_page

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest, HttpResponse

logger = logging.getLogger(__name__)


@require_safe
@staff_page
def again_elsewhere(request: HttpRequest) -> HttpResponse:
    """Lead to the service that vouches for staff, to sign in there once more.

    Whoever comes back from it without having done so is told that this proved nothing.

    Raises:
        Http404: there is none.
    """
    if not (service := vouching()):
        raise Http404
    back = "back" in request.GET
    if back and not is_stale(request.session, timezone.now()):
        return redirect("audits:staff_home")
    context = {"vouching": service, "refused": back}
    return page(request, "account/again_elsewhere.html", context, status=403 if back else 200)


def vouching() -> dict[str, str] | None:
    """Return the name and the id of the service that vouches for staff, if there is one."""
    apps = settings.SOCIALACCOUNT_PROVIDERS["openid_connect"]["APPS"]
    return {"id": apps[0]["provider_id"], "name": apps[0]["name"]} if apps else None


def answering(
    view: Callable[[HttpRequest, str], HttpResponse],
) -> Callable[[HttpRequest, str], HttpResponse]:
    """Say so where the service does not answer before anybody is sent to it, or as they return."""

    @wraps(view)
    def guarded(request: HttpRequest, provider_id: str) -> HttpResponse:
        try:
            return view(request, provider_id)
        except RequestException as error:
            return not_answered(request, error)

    return guarded


def not_answered(request: HttpRequest, error: RequestException) -> HttpResponse:
    """Return the page that the service did not answer as expected, and log of what kind it was."""
    logger.warning("The service that vouches for staff: %s", type(error).__name__)
    return page(request, "socialaccount/authentication_error.html", {}, status=503)
