"""What staff do about letters and their texts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils import timezone

from audits.core.roles import Right
from audits.models import ErasureRequest, Letter
from audits.queries.extending import NOTICE
from audits.services import (
    extensions,
    four_eyes,
    letter_delivery,
    letter_posting,
    letter_templates,
    letters,
    rights,
)
from audits.workflow import doorbell
from audits.workflow.refused import logged
from lineage.core.worded import not_among, worded

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date, datetime
    from uuid import UUID

    from django.contrib.auth.models import User

    from audits.models import LetterTemplate
    from audits.queries.letter_texts import LetterText

S = ErasureRequest.Status
# What staff may send by itself, as no decision goes with it, and in which states of a case.
LETTERS_OF_STAFF: Mapping[str, tuple[str, ...]] = {
    "ACKNOWLEDGEMENT": (S.VERIFIED, S.ACCEPTED, S.RESTRICTED, S.PLANNED, S.INFO_ASKED),
}


def acknowledge(request: ErasureRequest) -> None:
    """Tell whoever has confirmed, or was checked, that we are at work; not if answered at once."""
    if request.status == S.VERIFIED and not request.outcome:
        letters.send_letter(request=request, code="ACKNOWLEDGEMENT", now=timezone.now())


@logged
def send_staff_letter(*, case_id: UUID, code: str, user: User) -> bool:
    """Send a letter that needs no decision; return whether it is sent.

    Raises:
        NotAllowed: the right to handle cases is missing.
        NotYourDecision: it is their own request.
        ValueError: the letter is none of these, or the case is not where it may be sent.
    """
    rights.require(user, Right.HANDLE)
    request = ErasureRequest.objects.get(pk=case_id)
    four_eyes.check_stranger(request=request, user=user, action="SEND_STAFF_LETTER")
    if code not in LETTERS_OF_STAFF:
        raise ValueError(not_among("code", code, LETTERS_OF_STAFF))
    if request.status not in LETTERS_OF_STAFF[code]:
        raise ValueError(
            worded(
                "Case %(case)s is %(state)s; the letter can be sent in %(states)s.",
                case=request.reference,
                state=request.status,
                states=", ".join(LETTERS_OF_STAFF[code]),
            )
        )
    return letters.send_letter(request=request, code=code, now=timezone.now())


@logged
def try_letter_again(*, letter_id: UUID, user: User) -> bool:
    """Try a letter that failed again, at once; return whether it is sent.

    Raises:
        NotAllowed: the right to handle cases is missing.
        NotYourDecision: it is their own request.
    """
    rights.require(user, Right.HANDLE)
    now = timezone.now()
    letter = Letter.objects.select_related("request").get(pk=letter_id)
    four_eyes.check_stranger(request=letter.request, user=user, action="TRY_LETTER_AGAIN")
    if not letter.content:
        doorbell.wake(letter.request_id)  # its text could not be written: the case tries again
        return False
    letter_delivery.try_again(letter=letter, now=now)
    letter.refresh_from_db()
    sent = letter_delivery.deliver(letter=letter, now=now)
    doorbell.wake(letter.request_id)
    return sent


@logged
def post_letter(*, letter_id: UUID, posted_on: date, user: User) -> None:
    """Record the day on which a letter was posted. Raises as ``record_posting``."""
    letter = letter_posting.record_posting(
        letter_id=letter_id, posted_on=posted_on, user=user, now=timezone.now()
    )
    if letter.code == NOTICE:
        extensions.send_notice(case_id=letter.request_id, now=timezone.now())
    doorbell.wake(letter.request_id)


@logged
def choose_route(*, case_id: UUID, way: str, address: str, requested: bool, user: User) -> None:
    """Record how a person is answered. Raises as the service does."""
    letter_posting.choose_route(
        case_id=case_id,
        way=way,
        address=address,
        requested=requested,
        user=user,
        now=timezone.now(),
    )


def publish_letter(
    *, text: LetterText, active_from: datetime | None, user: User
) -> LetterTemplate:
    """Publish a new version of a letter's text. Raises as the service does."""
    return letter_templates.publish(
        text=text, active_from=active_from, user=user, now=timezone.now()
    )


def restore_letter(*, code: str, locale: str, user: User) -> LetterTemplate:
    """Use the built-in text of a letter again. Raises as the service does."""
    return letter_templates.restore_builtin(
        code=code, locale=locale, user=user, now=timezone.now()
    )
