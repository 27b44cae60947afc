"""Sessions of staff: they end when nobody uses them, and after so many hours in any case."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from allauth.account.internal.flows.reauthentication import STATE_SESSION_KEY
from django.conf import settings
from django.contrib.auth import SESSION_KEY, logout
from django.contrib.auth.models import User
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode

from audits.queries.sign_in import KEPT, has_second_factor, password_only
from audits.services.sign_in import NOTED, keep_session, must_use_second_factor

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest, HttpResponse

# What a view may ask of a post that was kept: where the site is, and what its forms hold.
NEEDED = {
    *("REQUEST_METHOD", "PATH_INFO", "SCRIPT_NAME", "CONTENT_TYPE", "CSRF_COOKIE"),
    *("SERVER_NAME", "SERVER_PORT", "HTTP_HOST", "HTTP_X_FORWARDED_HOST"),
    *("HTTP_X_FORWARDED_PORT", "HTTP_X_FORWARDED_PROTO"),
}
# Where somebody without the second factor that they must have may go: to get one, or away.
OPEN = ("/accounts/", "/erasure/", "/told/", "/api/")


class StaffSessions:
    """End what is too old; let nobody go on who lacks the second factor that they must have."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer, after the session is looked at."""
        if settings.SESSION_COOKIE_NAME in request.COOKIES and SESSION_KEY in request.session:
            now = timezone.now()
            if _is_over(request, now):
                logout(request)
            elif isinstance(user := request.user, User):
                _note(request, user, now)
                if must_use_second_factor(user) and (away := _to_a_factor(request, user)):
                    return away
        response = self.get_response(request)
        if request.session.modified and STATE_SESSION_KEY in request.session:
            _trim(request)
        return response


def _to_a_factor(request: HttpRequest, user: User) -> HttpResponse | None:
    """Lead whoever used no second factor to get one, or to use the one of the account."""
    if not has_second_factor(user):
        return None if request.path.startswith(OPEN) else redirect("mfa_index")
    factors, again = reverse("mfa_index"), reverse("mfa_reauthenticate")
    using = (again, reverse("mfa_reauthenticate_webauthn"))
    # Who has the password alone shall not change the factors that keep them out.
    if request.path.startswith(OPEN) and not request.path.startswith(factors):
        return None
    if request.path in using or not password_only(request.session):
        return None
    return redirect(f"{again}?{urlencode({'next': request.get_full_path()})}")


def _trim(request: HttpRequest) -> None:
    """Keep of a post that waits for a proof no cookie, address or browser of whoever sent it."""
    waiting = request.session[STATE_SESSION_KEY]
    if "request" not in waiting:
        return
    sent = json.loads(waiting["request"])
    if sent["META"].keys() - NEEDED:
        sent["META"] = {name: sent["META"][name] for name in NEEDED & sent["META"].keys()}
        request.session[STATE_SESSION_KEY] = {"request": json.dumps(sent)}


def _is_over(request: HttpRequest, now: datetime) -> bool:
    kept, at = request.session.get(KEPT), now.timestamp()
    if kept is None:  # of before there were limits
        return False
    idle, hours = settings.EXPUNGE_SESSION_IDLE_MINUTES, settings.EXPUNGE_SESSION_HOURS
    return bool(at - kept["seen"] > 60 * idle or at - kept["began"] > 3600 * hours)


def _note(request: HttpRequest, user: User, now: datetime) -> None:
    """Note that the session was used, and its new key where a password was changed."""
    session, at = request.session, now.timestamp()
    kept = session.get(KEPT) or {"began": at, "seen": 0.0, "proved": 0.0, "key": ""}
    if at - kept["seen"] < NOTED.total_seconds() and kept["key"] == session.session_key:
        return
    session[KEPT] = {**kept, "seen": at, "key": session.session_key}
    began = datetime.fromtimestamp(kept["began"], UTC)
    keep_session(user, session.session_key or "", began=began, now=now)
