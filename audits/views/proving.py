"""Whoever decides or destroys proves again who they are, when they last did so too long ago."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Concatenate, ParamSpec

from allauth.core.exceptions import ReauthenticationRequired
from django.utils import timezone

from audits.queries.sign_in import is_stale

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest, HttpResponse

P = ParamSpec("P")
SAFE = {"GET", "HEAD"}


def proving(
    view: Callable[Concatenate[HttpRequest, P], HttpResponse],
) -> Callable[Concatenate[HttpRequest, P], HttpResponse]:
    """Ask for the password, a code or a passkey before what is posted to a page counts.

    What was posted waits in the session and is carried out afterwards, so nothing is lost.
    """

    @wraps(view)
    def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        signed_in = request.user.is_authenticated
        if signed_in and request.method not in SAFE and is_stale(request.session, timezone.now()):
            raise ReauthenticationRequired
        return view(request, *args, **kwargs)

    guarded.proves = True  # type: ignore[attr-defined]  # read over the map of addresses
    return guarded
