"""Whether an account is locked, has a second factor, and who proved lately who they are."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from allauth.mfa.models import Authenticator
from django.conf import settings

from audits.models import SignInFailures, StaffSession

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from django.contrib.auth.models import User
    from django.db.models import QuerySet

# Under which a session keeps, as seconds since 1970, when it began, was used, and by whom proved.
KEPT = "expunge_sign_in"
# What stands between a password that is known to others and the account; codes only replace them.
FACTORS = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)


def is_stale(session: Mapping[str, Any], now: datetime) -> bool:
    """Return whether whoever has this session proved too long ago who they are."""
    proved = float(session.get(KEPT, {}).get("proved", 0))
    return now.timestamp() - proved > 60 * settings.EXPUNGE_REAUTH_MINUTES


def password_only(session: Mapping[str, Any]) -> bool:
    """Return whether whoever has this session used no second factor at sign-in, nor since."""
    return not session.get(KEPT, {}).get("factor", False)


def vouched_at(claims: Mapping[str, Any], now: datetime) -> float:
    """Return when a service says that somebody signed in there, as seconds since 1970.

    0 where it does not say (``auth_time`` of OpenID Connect Core 1.0, section 2).
    """
    said = claims.get("auth_time")
    if isinstance(said, bool) or not isinstance(said, int | float) or not said > 0:
        return 0.0
    return min(float(said), now.timestamp())


def is_locked(member: User, now: datetime) -> bool:
    """Return whether too many passwords or codes of an account were wrong."""
    found = SignInFailures.objects.filter(member=member, locked_at__isnull=False).first()
    return found is not None and holds(found, now)


def holds(failures: SignInFailures, now: datetime) -> bool:
    """Return whether a lock is still closed; with 0 minutes only an administrator opens it."""
    minutes: int = settings.EXPUNGE_LOCK_MINUTES
    since = failures.locked_at
    if since is None:
        return False
    return bool(minutes == 0 or now - since < timedelta(minutes=minutes))


def has_second_factor(member: User) -> bool:
    """Return whether an account has a passkey or an authenticator app."""
    return bool(Authenticator.objects.filter(user=member, type__in=FACTORS).exists())


def is_first_factor(added: Authenticator) -> bool:
    """Return whether an account had no passkey and no app before this one."""
    held = Authenticator.objects.filter(user=added.user_id, type__in=FACTORS)
    return not held.exclude(pk=added.pk).exists()


def sessions_of(member: User, now: datetime) -> QuerySet[StaffSession]:
    """Return where a member is signed in, the one used last first."""
    idle = timedelta(minutes=settings.EXPUNGE_SESSION_IDLE_MINUTES)
    begun = timedelta(hours=settings.EXPUNGE_SESSION_HOURS)
    return StaffSession.objects.filter(
        member=member,
        seen_at__gt=now - idle,
        began_at__gt=now - begun,
        session__expire_date__gt=now,
    )
