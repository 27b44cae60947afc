"""What is noted when somebody signed in, proved again who they are, or changed their factors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from allauth.account.signals import authentication_step_completed
from allauth.mfa.signals import authenticator_added, authenticator_removed
from django.conf import settings
from django.contrib.auth.models import User
from django.contrib.auth.signals import user_logged_in
from django.dispatch import receiver
from django.utils import timezone

from audits.queries.sign_in import KEPT
from audits.services.sign_in import forget_failures, keep_session, note_factor

if TYPE_CHECKING:
    from allauth.mfa.models import Authenticator
    from django.http import HttpRequest


@receiver(user_logged_in)
def begin(request: HttpRequest, user: User, **_: Any) -> None:  # noqa: ANN401  (Django's signature)
    """Begin the clocks of a session; wrong passwords before count no more."""
    now, session = timezone.now(), request.session
    at = now.timestamp()
    session.set_expiry(3600 * settings.EXPUNGE_SESSION_HOURS)
    session[KEPT] = {"began": at, "seen": at, "proved": at, "key": session.session_key}
    if user.is_staff:
        keep_session(user, session.session_key or "", began=now, now=now)
        forget_failures(user)


@receiver(authentication_step_completed)
def prove(request: HttpRequest, user: User, **_: Any) -> None:  # noqa: ANN401  (as above)
    """Begin anew the clock after which somebody is asked again."""
    kept = request.session.get(KEPT)
    if kept and request.user == user:
        request.session[KEPT] = {**kept, "proved": timezone.now().timestamp()}


@receiver(authenticator_added)
def added(user: User, authenticator: Authenticator, **_: Any) -> None:  # noqa: ANN401  (as above)
    """Log that somebody has a second factor more."""
    note_factor(user, kind=authenticator.type, given=True, now=timezone.now(), by=user)


@receiver(authenticator_removed)
def removed(user: User, authenticator: Authenticator, **_: Any) -> None:  # noqa: ANN401  (as above)
    """Log that somebody has a second factor less."""
    note_factor(user, kind=authenticator.type, given=False, now=timezone.now(), by=user)
