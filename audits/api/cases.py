"""Other systems hand in requests here and ask how far they are; no answer is personal data."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal
from uuid import UUID

from ninja import Field, Header, Router, Schema, Status

from audits import workflow
from audits.queries.cases_by_key import CaseNotHere, case_for, case_handed_in, cases_for
from audits.services.entering import KeyReused
from audits.services.receiving import Told, Wish
from audits.services.transitions import MoveNotAllowed
from lineage.api.auth import Scope, key_of
from lineage.api.conventions import BY_KEY, FOR_EVER, LONGEST_KEY, writes
from lineage.api.pages import Asked, Order, PageOut, page_of
from lineage.api.problems import problem
from lineage.core.identifiers import IdentifierNotUsable, normalise

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from audits.models import ErasureRequest

router = Router(auth=Scope("intake"), tags=["cases"])
READERS = Scope("cases:read", "intake")
Kind = Literal["ERASURE", "CONSENT", "OBJECTION", "RESTRICTION", "SEEN_IN_OUTPUT"]

ERRORS: dict[type[Exception], int] = {
    CaseNotHere: 404,
    KeyReused: 409,
    MoveNotAllowed: 409,
    workflow.LetterNotSent: 503,
}


class IdentifierIn(Schema):
    """By what else the person may be known; it counts once staff have checked identity."""

    kind: Literal["EMAIL", "EXTERNAL"]
    value: str = Field(min_length=1, max_length=500)


class RequestIn(Schema):
    """A request as a person made it elsewhere.

    ``received_at`` is when it came there, with its zone, from which the deadline runs; at most
    a year ago, and now where it is left out. ``direct_marketing`` says what an OBJECTION is to.
    """

    email: str = Field(max_length=254)
    kind: Kind = "ERASURE"
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
    verified_at: datetime | None
    accepted_at: datetime | None
    erased_at: datetime | None
    sealed_at: datetime | None


class WholeCaseOut(CaseOut):
    """A case with the pseudonym of its person, which needs the scope ``subjects:read``."""

    subject: UUID | None


class CasesOut(PageOut):
    """Some cases, the newest first."""

    items: list[CaseOut]


@router.post(
    "",
    response={201: CaseOut, 200: CaseOut},
    operation_id="hand_in_request",
    openapi_extra=writes(FOR_EVER),
)
def receive(
    request: HttpRequest,
    content: RequestIn,
    idempotency_key: Annotated[
        str, Header(alias="Idempotency-Key", min_length=1, max_length=LONGEST_KEY)
    ],
) -> Status[CaseOut] | HttpResponse:
    """Hand in a request; the person gets the link that confirms it.

    The same ``Idempotency-Key`` with the same content answers with the case it made (200).
    """
    if content.received_at is not None and content.received_at.tzinfo is None:
        return problem(422, "received_at has no time zone; write for example 2026-03-02T09:30Z.")
    told = Told(
        description=content.description,
        model_name=content.model_name,
        identifiers=tuple((one.kind, one.value) for one in content.identifiers),
    )
    try:
        made, case = workflow.enter_by_key(
            key_name=key_of(request).name,
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
    return Status(201 if made else 200, told_of(case))


@router.get("", response=CasesOut, auth=READERS, operation_id="list_cases")
def list_cases(
    request: HttpRequest,
    asked: Asked,
    status: Annotated[str, Field(max_length=16)] = "",
    kind: Kind | None = None,
) -> dict[str, Any]:
    """List cases: all of them, or with the scope ``intake`` those that this key handed in."""
    found = cases_for(key_of(request))
    if status:
        found = found.filter(status=status)
    if kind:
        found = found.filter(kind=kind)
    return page_of(request, asked, found, Order("received_at"), told_of)


@router.get("/{reference}", response=WholeCaseOut, auth=READERS, operation_id="show_case")
def status(request: HttpRequest, reference: str) -> WholeCaseOut:
    """Show how far a case is."""
    case = case_for(key_of(request), reference)
    whose = {"cases:read", "subjects:read"} <= set(key_of(request).scopes)
    subject = case.subject.pseudonym if whose and case.subject else None
    return WholeCaseOut(**told_of(case).dict(), subject=subject)


@router.post(
    "/{reference}/withdraw",
    response=CaseOut,
    operation_id="withdraw_case",
    openapi_extra=writes(BY_KEY),
)
def withdraw(request: HttpRequest, reference: str) -> CaseOut:
    """Say that the person takes the request back, which was handed in with this key."""
    case = case_handed_in(key_of(request), reference)
    workflow.withdraw(case_id=case.pk)
    case.refresh_from_db()
    return told_of(case)


def told_of(case: ErasureRequest) -> CaseOut:
    """Return how far a case is, as the API says it."""
    return CaseOut(
        reference=case.reference,
        kind=case.kind,
        status=case.status,
        outcome=case.outcome,
        received_at=case.received_at,
        due_on=case.due_on,
        verified_at=case.verified_at,
        accepted_at=case.accepted_at,
        erased_at=case.erased_at,
        sealed_at=case.sealed_at,
    )
