"""Sign-in of staff: failures that lock an account, sessions that end, factors that are changed."""

from __future__ import annotations

from datetime import timedelta
from hashlib import sha256
from typing import TYPE_CHECKING

from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models import Q

from audits.core.roles import Right
from audits.models import SignInFailures, StaffSession
from audits.queries.accounts import colleague_at
from audits.queries.sign_in import holds
from audits.services import log
from audits.services.actors import actor_of, staff_pseudonym
from audits.services.rights import has_right

if TYPE_CHECKING:
    from datetime import datetime

    from django.contrib.auth.models import User

# When a session was last used is noted at most so often: each note of it is a write.
NOTED = timedelta(seconds=60)
AT_ONCE = 500  # sessions; the others follow with the next sweep
DECIDING = (Right.REVIEW, Right.OPERATE, Right.ADMINISTER)


def must_use_second_factor(member: User) -> bool:
    """Return whether a member comes no further without a second factor."""
    policy = settings.EXPUNGE_SECOND_FACTOR
    asked = member.is_staff if policy == "ALL" else has_right(member, *DECIDING)
    return policy != "OPTIONAL" and asked


@transaction.atomic
def note_failure(member: User, *, now: datetime) -> None:
    """Count a wrong password or code; the one too many locks the account."""
    found = SignInFailures.objects.select_for_update()
    counted, _ = found.get_or_create(member=member)
    if holds(counted, now):
        return
    if counted.locked_at:  # which has run out
        counted.failures, counted.locked_at = 0, None
    counted.failures += 1
    if counted.failures >= settings.EXPUNGE_LOCK_AFTER:
        counted.locked_at = now
        _tell("staff_locked", member, now=now)
    counted.save()


def forget_failures(member: User) -> None:
    """Begin to count anew, once a member is signed in."""
    SignInFailures.objects.filter(member=member, locked_at=None).delete()


@transaction.atomic
def unlock(member: User, *, now: datetime, by: User | None = None) -> bool:
    """Open a locked account; False where it is not locked. ``by`` is missing at the shell."""
    locked = SignInFailures.objects.select_for_update().filter(
        member=member, locked_at__isnull=False
    )
    if not locked:
        return False
    locked.delete()
    _tell("staff_unlocked", member, now=now, by=by)
    return True


@transaction.atomic
def take_factors(member: User, *, now: datetime, by: User | None = None) -> int:
    """Take every second factor of somebody who lost theirs; return how many there were."""
    held = Authenticator.objects.filter(user=member)
    kinds = sorted(held.values_list("type", flat=True))
    held.delete()
    for kind in kinds:
        note_factor(member, kind=kind, given=False, now=now, by=by)
    if kinds:
        end_sessions(member)
    return len(kinds)


@transaction.atomic
def note_factor(
    member: User, *, kind: str, given: bool, now: datetime, by: User | None = None
) -> None:
    """Log that an account was given a second factor, or lost one."""
    data = {"kind": kind.upper(), "result": "GIVEN" if given else "TAKEN"}
    _tell("staff_factor_changed", member, now=now, by=by, **data)


def subject_at(issuer: str, subject: str) -> str:
    """Return how a person is named whom a service calls ``subject``: 64 hex digits.

    A ``sub`` is one person's only at its issuer (OpenID Connect Core 1.0, section 2).
    """
    return sha256(f"{issuer}\n{subject}".encode()).hexdigest()


@transaction.atomic
def link(*, email: str, provider: str, subject: str, now: datetime) -> User | None:
    """Link whom a service vouches for to the one open account of staff with their address.

    ``subject`` names them for good (``subject_at``). None where there is no such account, or it
    is linked to somebody else: an address that was given to another person opens nothing.
    """
    member = colleague_at(email)
    if member is None:
        return None
    found, made = SocialAccount.objects.get_or_create(
        user=member, provider=provider, defaults={"uid": subject}
    )
    if found.uid != subject:
        return None
    if made:
        _tell("staff_linked", member, now=now)
    return member


@transaction.atomic
def unlink(member: User, *, now: datetime) -> bool:
    """Let no service vouch for a member until one is linked anew; False where none did.

    It ends the sessions of the member.
    """
    linked = SocialAccount.objects.select_for_update().filter(user=member)
    if not linked:
        return False
    linked.delete()
    _tell("staff_unlinked", member, now=now)
    end_sessions(member)
    return True


def forget_claims(member: User) -> None:
    """Keep of what a service said of a member nothing but how it names them."""
    SocialAccount.objects.filter(user=member).exclude(extra_data={}).update(extra_data={})


def keep_session(member: User, key: str, *, began: datetime, now: datetime) -> None:
    """Note that a member uses a session, for the page on which they can end it."""
    if Session.objects.filter(pk=key).exists():
        StaffSession.objects.update_or_create(
            session_id=key, defaults={"member": member, "began_at": began, "seen_at": now}
        )


def forget_sessions(*, now: datetime) -> int:
    """Delete sessions that have expired or were not used for too long; return how many.

    What waited in them to be carried out goes too: answers to people, and whom they name.
    """
    idle = timedelta(minutes=settings.EXPUNGE_SESSION_IDLE_MINUTES)
    over = Q(expire_date__lte=now) | Q(of_staff__seen_at__lte=now - idle - NOTED)
    keys = list(Session.objects.filter(over).values_list("pk", flat=True)[:AT_ONCE])
    Session.objects.filter(pk__in=keys).delete()
    return len(keys)


def end_sessions(member: User, *, only: int | None = None, besides: str | None = None) -> int:
    """Sign a member out everywhere, of one session, or everywhere but here; return how many."""
    ended = Session.objects.filter(of_staff__member=member)
    if only is not None:
        ended = ended.filter(of_staff__pk=only)
    if besides is not None:
        ended = ended.exclude(pk=besides)
    keys = list(ended.values_list("pk", flat=True))
    Session.objects.filter(pk__in=keys).delete()
    return len(keys)


def _tell(event: str, member: User, *, now: datetime, by: User | None = None, **data: str) -> None:
    actor = actor_of(by) if by else log.SYSTEM
    told = {"member": staff_pseudonym(member.pk), **data}
    log.append(type=event, case=None, now=now, actor=actor, data=told)
