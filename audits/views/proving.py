"""Whoever decides or destroys proves again who they are, when they last did so too long ago."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Concatenate, ParamSpec

from allauth.core.exceptions import ImmediateHttpResponse, ReauthenticationRequired
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from audits.queries.sign_in import KEPT, is_stale

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


def note_wrong_proof(request: HttpRequest) -> None:
    """Count a wrong password or code of somebody who is signed in; the one too many ends that.

    They are counted within the session: what others type under the same name stops nobody here.

    Raises:
        ImmediateHttpResponse: the session was ended.
    """
    kept = request.session.get(KEPT, {})
    wrong = kept.get("wrong", 0) + 1
    if wrong < settings.EXPUNGE_LOCK_AFTER:
        request.session[KEPT] = {**kept, "wrong": wrong}
        return
    logout(request)
    messages.error(
        request, _("You were signed out after too many wrong passwords or codes. Sign in again.")
    )
    raise ImmediateHttpResponse(redirect("login"))


def counting_old_passwords(
    view: Callable[Concatenate[HttpRequest, P], HttpResponse],
) -> Callable[Concatenate[HttpRequest, P], HttpResponse]:
    """Count wrong old passwords where somebody changes theirs."""

    @wraps(view)
    def counted(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        response = view(request, *args, **kwargs)
        if request.method == "POST" and isinstance(response, TemplateResponse):
            form = (response.context_data or {})["form"]
            if form.has_error("old_password", "password_incorrect"):
                note_wrong_proof(request)
        return response

    return counted
