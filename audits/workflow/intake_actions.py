"""What staff, another system or the person do about intake, identity, objection, restriction."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _

from audits.models import ErasureRequest
from audits.queries.policy_values import in_force
from audits.services import asking, entering, identifying, letters, requests, stopping
from audits.workflow import doorbell
from audits.workflow.letter_actions import acknowledge
from audits.workflow.refused import logged

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date, datetime
    from uuid import UUID

    from django.contrib.auth.models import User

    from audits.core.identity import Check


class LetterNotSent(Exception):
    """The mail server did not take the confirmation letter; nothing was started."""

    def __init__(self) -> None:
        super().__init__(
            _(
                "We could not send the e-mail with your confirmation link. Please try again in a "
                "few minutes, or write to %(contact)s."
            )
            % {"contact": in_force("CONTACT")}
        )


def enter(*, entry: entering.Entry, user: User) -> ErasureRequest:
    """Store a request that came by post, telephone, e-mail or in person.

    Where identity was not checked at the desk, whoever has an e-mail address gets the link; that
    it could not be sent shows on the case, and stops nothing. Where it was, the request is
    acknowledged, by the way that it came.
    """
    received = entering.enter_request(entry=entry, user=user, now=timezone.now())
    if entry.email and entry.check is None:
        send_links(received)
    acknowledge(received.request)
    doorbell.wake(received.request.pk)
    return received.request


def enter_by_key(
    *,
    key_name: str,
    idempotency: str,
    email: str,
    wish: requests.Wish,
    told: requests.Told,
    received_at: datetime | None = None,
) -> tuple[bool, ErasureRequest]:
    """Store a request that another system sends; return whether it is a new one, and its case.

    Raises:
        LetterNotSent: the request is kept, but unconfirmed; the call can be made again.
        EntryRefused, KeyReused, IdentifierNotUsable: as ``entering.enter_by_key``.
    """
    received, request = entering.enter_by_key(
        key_name=key_name,
        idempotency=idempotency,
        email=email,
        wish=wish,
        told=told,
        received_at=received_at,
        now=timezone.now(),
    )
    if received and not send_links(received):
        entering.free_key(case_id=request.pk)
        raise LetterNotSent
    return received is not None, request


def send_links(received: requests.Received) -> bool:
    """Send the person the links that only they get; return whether the letter is sent."""
    return letters.send_letter(
        request=received.request,
        code="CONFIRM",
        now=timezone.now(),
        context={
            "confirm_url": f"{settings.SITE_URL}/erasure/confirm/{received.confirm_token}/",
            "status_url": f"{settings.SITE_URL}/erasure/status/{received.status_token}/",
        },
    )


@logged
def see_mandate(*, case_id: UUID, digest: str, user: User) -> None:
    """Record that the mandate of an agent was seen."""
    entering.see_mandate(case_id=case_id, digest=digest, user=user, now=timezone.now())
    doorbell.wake(case_id)


@logged
def check_identity(*, case_id: UUID, check: Check, user: User, key_name: str = "") -> None:
    """Record how staff, or a key in their name, made sure who asks; acknowledge the request."""
    identifying.check_identity(
        case_id=case_id, check=check, user=user, now=timezone.now(), key_name=key_name
    )
    acknowledge(ErasureRequest.objects.get(pk=case_id))
    doorbell.wake(case_id)


@logged
def note_proof_destroyed(*, case_id: UUID, user: User) -> None:
    """Record that a document that was shown is destroyed."""
    identifying.note_proof_destroyed(case_id=case_id, user=user, now=timezone.now())


@logged
def ask_information(*, case_id: UUID, doubt: str, user: User) -> None:
    """Ask the person for more."""
    asking.ask_information(case_id=case_id, doubt=doubt, user=user, now=timezone.now())
    doorbell.wake(case_id)


@logged
def take_question_back(*, case_id: UUID, user: User) -> None:
    """Wait no longer for what the person was asked."""
    asking.take_question_back(case_id=case_id, user=user, now=timezone.now())
    doorbell.wake(case_id)


@logged
def receive_information(
    *,
    case_id: UUID,
    identifiers: Sequence[tuple[str, str]],
    user: User | None = None,
    question_id: UUID | None = None,
) -> None:
    """Take what the person answered to a question; ``user`` copied it from a letter."""
    asking.receive_information(
        case_id=case_id,
        identifiers=identifiers,
        user=user,
        question_id=question_id,
        now=timezone.now(),
    )
    doorbell.wake(case_id)


@logged
def close_unidentified(*, case_id: UUID, reason: str, user: User) -> None:
    """Close a case whose person cannot be identified."""
    identifying.close_unidentified(case_id=case_id, reason=reason, user=user, now=timezone.now())
    doorbell.wake(case_id)


@logged
def plan_lift(*, case_id: UUID, reason: str, lift_on: date, user: User) -> None:
    """Fix when a restriction ends; the person is told first."""
    stopping.plan_lift(
        case_id=case_id, reason=reason, lift_on=lift_on, user=user, now=timezone.now()
    )
    doorbell.wake(case_id)


@logged
def note_notice(*, case_id: UUID, user: User) -> None:
    """Record that the person was told by post that a restriction ends."""
    stopping.note_notice(case_id=case_id, user=user, now=timezone.now())
    doorbell.wake(case_id)
