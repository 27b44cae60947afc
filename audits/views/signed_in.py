"""What is noted when somebody signed in, proved again who they are, or changed their factors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from allauth.account.signals import authentication_step_completed
from allauth.account.signals import user_logged_in as let_in
from allauth.mfa.signals import (
    authenticator_added,
    authenticator_removed,
    authenticator_reset,
)
from django.conf import settings
from django.contrib.auth.signals import user_logged_in
from django.dispatch import receiver
from django.utils import timezone

from audits.queries.sign_in import (
    FACTORS,
    KEPT,
    has_second_factor,
    is_first_factor,
    vouched_at,
)
from audits.services.sign_in import end_sessions, forget_failures, keep_session, note_factor

if TYPE_CHECKING:
    from allauth.mfa.models import Authenticator
    from allauth.socialaccount.models import SocialLogin
    from django.contrib.auth.models import User
    from django.http import HttpRequest


@receiver(user_logged_in)
def begin(request: HttpRequest, user: User, **_: Any) -> None:  # noqa: ANN401  (Django's signature)
    """Begin the clocks of a session; wrong passwords before count no more."""
    now, session = timezone.now(), request.session
    at = now.timestamp()
    session.set_expiry(3600 * settings.EXPUNGE_SESSION_HOURS)
    kept = {"began": at, "seen": at, "proved": at, "key": session.session_key}
    session[KEPT] = {**kept, "factor": has_second_factor(user)}
    if user.is_staff:
        keep_session(user, session.session_key or "", began=now, now=now)
        forget_failures(user)


@receiver(let_in)  # of allauth, after Django's
def vouched(request: HttpRequest, sociallogin: SocialLogin | None = None, **_: Any) -> None:  # noqa: ANN401  (as above)
    """Take what was proved at a service for as old as it says: it may have asked for nothing now.

    A second factor that was used here proves more, and now.
    """
    kept = request.session.get(KEPT)
    if sociallogin and kept and not kept["factor"]:
        claims = sociallogin.account.extra_data.get("id_token") or {}
        request.session[KEPT] = {**kept, "proved": vouched_at(claims, timezone.now())}


@receiver(authentication_step_completed)
def prove(request: HttpRequest, user: User, method: str, **_: Any) -> None:  # noqa: ANN401  (as above)
    """Begin anew the clock after which somebody is asked again, and the count of wrong proofs."""
    kept = request.session.get(KEPT)
    if kept and request.user == user:
        factor = kept.get("factor", False) or method == "mfa"
        at = timezone.now().timestamp()
        request.session[KEPT] = {**kept, "proved": at, "wrong": 0, "factor": factor}


def _remember(request: HttpRequest, *, used: bool) -> None:
    if kept := request.session.get(KEPT):
        request.session[KEPT] = {**kept, "factor": used}


@receiver([authenticator_added, authenticator_reset])  # the latter: recovery codes made anew
def added(request: HttpRequest, user: User, authenticator: Authenticator, **_: Any) -> None:  # noqa: ANN401
    """Log that somebody has a second factor more; the first ends what a password alone opened."""
    if authenticator.type in FACTORS:
        if is_first_factor(authenticator):
            end_sessions(user, besides=request.session.session_key)
        _remember(request, used=True)
    note_factor(user, kind=authenticator.type, given=True, now=timezone.now(), by=user)


@receiver(authenticator_removed)
def removed(request: HttpRequest, user: User, authenticator: Authenticator, **_: Any) -> None:  # noqa: ANN401
    """Log that somebody has a second factor less."""
    if not has_second_factor(user):
        _remember(request, used=False)
    note_factor(user, kind=authenticator.type, given=False, now=timezone.now(), by=user)
