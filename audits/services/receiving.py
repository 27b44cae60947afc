"""Receive a request and confirm it by the link that only its person gets."""

from __future__ import annotations

import secrets
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from django.core import signing
from django.db import transaction
from django.utils.translation import gettext as _

from audits.core.commitment import commit
from audits.models import ErasureRequest, PersonalDetails, ProcessingStop
from audits.models.case_secrets import key_name
from audits.queries.policy_values import in_force
from audits.services import clocks, log
from audits.services.identifying import identify
from audits.services.references import new_reference, token_digest
from audits.services.transitions import move
from lineage import keys

if TYPE_CHECKING:
    from datetime import datetime

CONFIRM_SALT = "audits.confirm"
S = ErasureRequest.Status
Kind = ErasureRequest.Kind
Objection = ProcessingStop.Objection
KINDS = tuple(kind for kind in Kind if kind != Kind.OPERATOR)


class LinkNotUsable(Exception):
    """The confirmation link is altered, expired or used; the sentence says which.

    ``request`` is the one that it belongs to, where that is still known.
    """

    def __init__(self, sentence: str, request: ErasureRequest | None = None) -> None:
        super().__init__(sentence)
        self.request = request


@dataclass(frozen=True, kw_only=True)
class Received:
    """A new request and the two secrets that only the person gets."""

    request: ErasureRequest
    confirm_token: str
    status_token: str


@dataclass(frozen=True, kw_only=True)
class Told:
    """What the person told beside an e-mail address; all of it is deleted once answered.

    ``identifiers`` are (kind, value) pairs of kinds EMAIL and EXTERNAL.
    """

    description: str = ""
    model_name: str = ""
    identifiers: tuple[tuple[str, str], ...] = ()
    postal_address: str = ""
    agent_name: str = ""
    agent_contact: str = ""


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What is asked for: one of ``KINDS``, in which language, and against what an objection is."""

    kind: str = Kind.ERASURE
    locale: str = "en"
    marketing: bool = False

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"kind is {self.kind!r}; allowed are {', '.join(KINDS)}.")

    @property
    def objection(self) -> Objection:
        """What is objected to."""
        if self.kind != Kind.OBJECTION:
            return Objection.NONE
        return Objection.MARKETING if self.marketing else Objection.INTERESTS


@transaction.atomic
def receive_request(
    *,
    email: str,
    channel: str,
    now: datetime,
    received_at: datetime | None = None,
    wish: Wish | None = None,
    told: Told | None = None,
) -> Received:
    """Open a case, start its clock, and return the secrets for the letter.

    The clock runs from ``received_at``, by default now. Nothing is searched or queued before the
    person confirms or staff have checked who it is.
    """
    wish, told, at = wish or Wish(), told or Told(), received_at or now
    due = clocks.due_of(at)
    status_token = secrets.token_urlsafe(32)
    request = ErasureRequest(
        reference=new_reference(),
        kind=wish.kind,
        locale=wish.locale,
        channel=channel,
        email=email,
        status_digest=token_digest(status_token),
        received_at=at,
        due_on=due.due_on,
        due_rule=due.rule,
    )
    if wish.kind == Kind.CONSENT:  # no ground is to be asked for: this is one (Art. 17(1)(b))
        request.ground = ErasureRequest.Ground.CONSENT_WITHDRAWN
    confirm_token = signing.dumps(
        {"case": str(request.pk), "nonce": secrets.token_hex(8)}, salt=CONFIRM_SALT
    )
    request.confirm_digest = token_digest(confirm_token)
    case_key = keys.create(key_name(request.pk))
    request.save(force_insert=True)
    clocks.start_clock(request=request, due=due)
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
    _keep(request, wish, told, now)
    return Received(request=request, confirm_token=confirm_token, status_token=status_token)


def _keep(request: ErasureRequest, wish: Wish, told: Told, now: datetime) -> None:
    if told != Told():
        PersonalDetails.objects.create(request=request, **asdict(told))
    if wish.kind != Kind.ERASURE:
        stated = {"kind": wish.kind, "objection": wish.objection or "NONE"}
        if wish.objection:
            ProcessingStop.objects.create(request=request, objection=wish.objection)
        log.append(type="kind_stated", case=request.pk, now=now, actor=log.SUBJECT, data=stated)


def request_of_link(token: str) -> ErasureRequest:
    """Return the case that a confirmation link belongs to, without using it up.

    Raises:
        LinkNotUsable: altered, expired, used, or its case is gone.
    """
    try:
        content = signing.loads(token, salt=CONFIRM_SALT, max_age=in_force("CONFIRM_HOURS") * 3600)
    except signing.SignatureExpired:
        raise LinkNotUsable(
            _(
                "This link has expired: links work for %(hours)s hours. Please send the form "
                "again; you will get a new one."
            )
            % {"hours": in_force("CONFIRM_HOURS")}
        ) from None
    except signing.BadSignature:
        raise LinkNotUsable(
            _(
                "This link is not complete or was changed. Please copy the whole link from the "
                "e-mail."
            )
        ) from None
    request = ErasureRequest.objects.filter(
        pk=content["case"], confirm_digest=token_digest(token)
    ).first()
    if request is None or request.status != S.RECEIVED:
        raise LinkNotUsable(
            _(
                "This link was used already. Your request is being handled: the status page in "
                "the same e-mail shows how far it is."
            ),
            request or ErasureRequest.objects.filter(pk=content["case"]).first(),
        )
    return request


@transaction.atomic
def confirm_request(*, token: str, now: datetime) -> ErasureRequest:
    """Use up a confirmation link and identify the person.

    A person of whom nothing is held, and one whose earlier case is still open, are noted here;
    the workflow then closes the case. Where processing must stop at once (withdrawal of consent,
    objection) the records are restricted here.

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
