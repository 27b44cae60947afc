"""Receive, confirm and withdraw requests. States: ``audits/services/transitions.py``."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core import signing
from django.db import transaction

from audits.core.commitment import commit
from audits.models import ErasureRequest
from audits.services import clocks, four_eyes, log
from audits.services.transitions import WORKING, move
from lineage import keys
from lineage.queries import subjects

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from django.contrib.auth.models import User

CONFIRM_SALT = "audits.confirm"
# No letters or digits that are mistaken for each other when read aloud.
ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
S = ErasureRequest.Status
Outcome = ErasureRequest.Outcome


class LinkNotUsable(Exception):
    """The confirmation link is altered, expired or used; the sentence says which."""


@dataclass(frozen=True, kw_only=True)
class Received:
    """A new request and the two secrets that only the person gets."""

    request: ErasureRequest
    confirm_token: str
    status_token: str


@transaction.atomic
def receive_request(*, email: str, channel: str, now: datetime) -> Received:
    """Open a case, start its clock, and return the secrets for the letter.

    Nothing is searched or queued before the person confirms.
    """
    due = clocks.due_of(now)
    status_token = secrets.token_urlsafe(32)
    request = ErasureRequest(
        reference=new_reference(),
        channel=channel,
        email=email,
        status_digest=token_digest(status_token),
        received_at=now,
        due_on=due.due_on,
        due_rule=due.rule,
    )
    confirm_token = signing.dumps(
        {"case": str(request.pk), "nonce": secrets.token_hex(8)}, salt=CONFIRM_SALT
    )
    request.confirm_digest = token_digest(confirm_token)
    request.save(force_insert=True)
    clocks.start_clock(request=request, due=due)
    case_key = keys.create(f"case:{request.pk}")
    log.append(
        type="request_received",
        case=request.pk,
        now=now,
        actor=log.SUBJECT,
        data={
            "channel": channel,
            "commitment": commit(case_key, {"email": email}),
            "received_on": due.received_on,
            "due_on": due.due_on,
            "rule": due.rule,
            "calendar": due.calendar,
        },
    )
    return Received(request=request, confirm_token=confirm_token, status_token=status_token)


def request_of_link(token: str) -> ErasureRequest:
    """Return the case that a confirmation link belongs to, without using it up.

    Raises:
        LinkNotUsable: altered, expired, used, or its case is gone.
    """
    try:
        content = signing.loads(
            token, salt=CONFIRM_SALT, max_age=settings.EXPUNGE_CONFIRM_HOURS * 3600
        )
    except signing.SignatureExpired:
        raise LinkNotUsable(
            f"This link has expired: links work for {settings.EXPUNGE_CONFIRM_HOURS} hours. "
            "Please send the form again; you will get a new one."
        ) from None
    except signing.BadSignature:
        raise LinkNotUsable(
            "This link is not complete or was changed. Please copy the whole link from the e-mail."
        ) from None
    request = ErasureRequest.objects.filter(
        pk=content["case"], confirm_digest=token_digest(token)
    ).first()
    if request is None or request.status != S.RECEIVED:
        raise LinkNotUsable(
            "This link was used already. Your request is being handled: the status page in "
            "the same e-mail shows how far it is."
        )
    return request


@transaction.atomic
def confirm_request(*, token: str, now: datetime) -> ErasureRequest:
    """Use up a confirmation link and identify the person.

    A person of whom nothing is held, and one whose earlier case is still open, are noted here;
    the workflow then closes the case.

    Raises:
        LinkNotUsable: altered, expired or used.
    """
    request = request_of_link(token)
    confirmed = move(
        case_id=request.pk,
        to=S.VERIFIED,
        now=now,
        actor=log.SUBJECT,
        event=("request_verified", {"method": "EMAIL_LINK"}),
        fields={"verified_at": now, "confirm_digest": ""},
    )
    if confirmed:  # else the button was pressed twice, and the other press did it
        identify(case_id=request.pk, now=now)
    request.refresh_from_db()
    return request


def identify(*, case_id: UUID, now: datetime) -> None:
    """Find the subject of a verified case and log how many records are held."""
    request = ErasureRequest.objects.get(pk=case_id)
    subject = subjects.find_subject("EMAIL", request.email)
    held = subjects.records_of(subject) if subject else {}
    count = sum(len(bitmap) for bitmap in held.values())
    fields: dict[str, Any] = {"subject": subject}
    if subject is None or not count:
        fields["outcome"] = Outcome.NO_DATA_FOUND
    elif earlier := _open_case_of(subject.pk, besides=case_id):
        fields |= {"outcome": Outcome.JOINED, "joined_to": earlier}
    ErasureRequest.objects.filter(pk=case_id).update(**fields)
    log.append(
        type="subject_identified",
        case=case_id,
        now=now,
        data={"result": "FOUND" if count else "NOT_FOUND", "records": count},
    )


def _open_case_of(subject_id: int, *, besides: UUID) -> ErasureRequest | None:
    # Only a verified case counts: somebody who merely typed an address must not block its owner.
    return (
        ErasureRequest.objects.filter(
            subject_id=subject_id, status__in=[S.VERIFIED, *WORKING, S.ON_HOLD, S.FAILED]
        )
        .exclude(pk=besides)
        .order_by("verified_at")
        .first()
    )


def withdraw_request(*, case_id: UUID, now: datetime) -> bool:
    """Let the person take the request back while nothing has been done yet."""
    return move(
        case_id=case_id,
        to=S.WITHDRAWN,
        now=now,
        actor=log.SUBJECT,
        event=("request_withdrawn", {}),
        fields={"outcome": Outcome.WITHDRAWN, "confirm_digest": ""},
    )


@transaction.atomic
def fail_case(*, case_id: UUID, code: str, message: str, now: datetime) -> bool:
    """Stop a case that cannot go on by itself, keeping where it was for a retry."""
    current = ErasureRequest.objects.get(pk=case_id)
    return move(
        case_id=case_id,
        to=S.FAILED,
        now=now,
        event=("case_failed", {"code": log.code_of(code)}),
        fields={"failed_from": current.status, "failure_code": code, "failure": message[:2000]},
    )


@transaction.atomic
def resume_case(*, case_id: UUID, user: User, now: datetime) -> bool:
    """Put a failed case back to where it stopped; False when it is not failed.

    Raises:
        NotYourDecision: they approved the case.
    """
    four_eyes.check_executor(cases=[case_id], user=user, action="RETRY")
    request = ErasureRequest.objects.get(pk=case_id)
    resumed = ErasureRequest.objects.filter(pk=case_id, status=S.FAILED).update(
        status=request.failed_from, failed_from="", failure_code="", failure=""
    )
    if resumed:
        log.append(type="request_resumed", case=case_id, now=now, actor=actor_of(user))
    return bool(resumed)


def actor_of(user: User) -> str:
    """Return the opaque name of a member of staff in the log."""
    return f"staff:{staff_pseudonym(user.pk)}"


def staff_pseudonym(user_id: int) -> str:
    """Return a stable random-looking id for a user, keyed so that the log names nobody."""
    digest = hashlib.sha256(keys.get_or_create("staff") + str(user_id).encode()).hexdigest()
    return f"{digest[:8]}-{digest[8:12]}-4{digest[13:16]}-8{digest[17:20]}-{digest[20:32]}"


def new_reference(kind: str = "ER") -> str:
    """Return a reference that can be read over the telephone; not a secret."""
    letters = "".join(secrets.choice(ALPHABET) for _ in range(8))
    return f"{kind}-{letters[:4]}-{letters[4:]}"


def token_digest(token: str) -> str:
    """Return what is stored of a token."""
    return hashlib.sha256(token.encode()).hexdigest()
