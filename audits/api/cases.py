"""Other systems hand in requests here and ask how far they are; no answer is personal data."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated, Literal

from ninja import Field, Header, Router, Schema, Status
from ninja.errors import HttpError

from audits import workflow
from audits.models import ErasureRequest
from audits.services.entering import KeyReused
from audits.services.receiving import Told, Wish
from lineage.api.auth import Scope
from lineage.api.problems import problem
from lineage.core.identifiers import IdentifierNotUsable, normalise

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from lineage.models import ApiKey

router = Router(auth=Scope("intake"), tags=["intake"])
LONGEST_KEY = 200

ERRORS: dict[type[Exception], int] = {KeyReused: 409, workflow.LetterNotSent: 503}


class IdentifierIn(Schema):
    """By what else the person may be known; it counts once staff have checked identity."""

    kind: Literal["EMAIL", "EXTERNAL"]
    value: str = Field(min_length=1, max_length=500)


class RequestIn(Schema):
    """A request as a person made it elsewhere.

    ``received_at`` is when it came there, with its zone, from which the deadline runs; now where
    it is left out. ``direct_marketing`` says what an OBJECTION is to.
    """

    email: str = Field(max_length=254)
    kind: Literal["ERASURE", "CONSENT", "OBJECTION", "RESTRICTION", "SEEN_IN_OUTPUT"] = "ERASURE"
    direct_marketing: bool = False
    locale: str = Field("en", pattern=r"^[a-z]{2}(-[A-Z]{2})?$")
    received_at: datetime | None = None
    description: str = Field("", max_length=4000)
    model_name: str = Field("", max_length=200)
    identifiers: list[IdentifierIn] = Field(default_factory=list, max_length=10)


class CaseOut(Schema):
    """How far a case is."""

    reference: str
    kind: str
    status: str
    outcome: str
    received_at: datetime
    due_on: date | None


@router.post("", response={201: CaseOut, 200: CaseOut})
def receive(
    request: HttpRequest,
    content: RequestIn,
    idempotency_key: Annotated[str, Header(min_length=1, max_length=LONGEST_KEY)],
) -> Status[CaseOut] | HttpResponse:
    """Hand in a request; the person gets the link that confirms it.

    The same ``Idempotency-Key`` with the same content answers with the case it made (200).
    """
    if content.received_at is not None and content.received_at.tzinfo is None:
        return problem(422, "received_at has no time zone; write for example 2026-03-02T09:30Z.")
    key: ApiKey = vars(request)["auth"]  # set by Ninja
    told = Told(
        description=content.description,
        model_name=content.model_name,
        identifiers=tuple((one.kind, one.value) for one in content.identifiers),
    )
    try:
        made, case = workflow.enter_by_key(
            key_name=key.name,
            idempotency=idempotency_key,
            email=normalise("EMAIL", content.email),
            wish=Wish(
                kind=content.kind, locale=content.locale, marketing=content.direct_marketing
            ),
            told=told,
            received_at=content.received_at,
        )
    except (IdentifierNotUsable, ValueError) as error:
        return problem(422, str(error))
    return Status(201 if made else 200, _told(case))


@router.get("/{reference}", response=CaseOut)
def status(request: HttpRequest, reference: str) -> CaseOut:
    """Return how far a case is that keys of the same name handed in."""
    key: ApiKey = vars(request)["auth"]  # set by Ninja
    case = ErasureRequest.objects.filter(reference=reference, intake__key_name=key.name).first()
    if case is None:
        raise HttpError(404, "No case of this reference was handed in with a key of this name.")
    return _told(case)


def _told(case: ErasureRequest) -> CaseOut:
    return CaseOut(
        reference=case.reference,
        kind=case.kind,
        status=case.status,
        outcome=case.outcome,
        received_at=case.received_at,
        due_on=case.due_on,
    )
