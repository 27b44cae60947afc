"""Work on a case in the name of a member of staff: confirm identity, propose a decision, follow.

A key proposes and never approves: two people decide, and the second one is at a page.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated, Literal
from uuid import UUID

from django.core.exceptions import PermissionDenied
from ninja import Field, Router, Schema, Status

from audits import workflow
from audits.api.cases import READ, READERS, CaseOut, told_of
from audits.core.assessment import Assessed, Excepted, Ground
from audits.core.identity import Check
from audits.queries.case_runs import CaseRun, runs_of
from audits.queries.cases_by_key import case_for
from audits.services.four_eyes import NotYourDecision
from lineage.api.auth import Scope, key_of
from lineage.api.conventions import BY_KEY, writes
from lineage.api.problems import problem

if TYPE_CHECKING:
    from django.contrib.auth.models import User
    from django.http import HttpRequest, HttpResponse

    from audits.models import Decision

WRITE = "cases:write"
router = Router(auth=Scope(WRITE), tags=["cases"])

ERRORS: dict[type[Exception], int] = {PermissionDenied: 403, NotYourDecision: 403}
Text = Annotated[str, Field(max_length=4000)]


class IdentityIn(Schema):
    """How the member of staff made sure who asks, and what doubt there was."""

    method: Literal["ACCOUNT", "CALL_BACK", "QUESTIONS", "LETTER_CODE", "DOCUMENT", "IN_PERSON"]
    level: Literal["LOW", "SUBSTANTIAL", "HIGH"]
    doubt: Literal[
        "",
        "NO_RECORD_FOUND",
        "ADDRESS_NOT_KNOWN",
        "CLAIMS_DIFFER",
        "SEVERAL_PEOPLE",
        "AGENT_WITHOUT_MANDATE",
    ] = ""


class GroundIn(Schema):
    """A ground of Art. 17(1), or of 18(1) to restrict, for one purpose: docs/decisions.md."""

    code: str = Field(max_length=40)
    purpose: str = Field(max_length=200)
    assessment: Text
    other_ground: Text = ""


class ExceptionIn(Schema):
    """What is not erased under Art. 17(3), until when; of a data set or of a place."""

    code: str = Field(max_length=40)
    basis: Text
    scope: Text
    until: date
    dataset: UUID | None = None
    place: Annotated[str, Field(max_length=100)] = ""


class DecisionIn(Schema):
    """What is proposed: to accept on grounds, or to refuse for a coded reason."""

    decision: Literal["ACCEPT", "REFUSE"]
    grounds: list[GroundIn] = Field(default_factory=list, max_length=20)
    exceptions: list[ExceptionIn] = Field(default_factory=list, max_length=20)
    refusal_code: str = Field("", max_length=40)
    assessment: Text = ""
    evidence: Text = ""
    legal_position: Text = ""


class DecisionOut(Schema):
    """A decision: PROPOSED until a second person approved it or sent it back.

    APPROVED at once where ``EXPUNGE_SECOND_PERSON`` says that one person is enough.
    """

    decision: UUID
    kind: str
    state: str
    grounds: list[str]
    refusal_code: str
    proposed_at: datetime
    approved_at: datetime | None


class ProgressOut(Schema):
    """How far a job is; ``total`` is 0 while its extent is not known."""

    status: str
    phase: str
    done: int
    total: int


class CaseRunOut(Schema):
    """A method at work on a version for a case, and what was concluded of it."""

    run: UUID
    version: UUID
    version_name: str
    method: str
    guarantee: str
    status: str
    verdict: str | None
    unlearned: UUID | None
    escalated_from: UUID | None
    forget_set_size: int
    seconds: float | None
    created_at: datetime
    ended_at: datetime | None
    progress: ProgressOut | None


@router.post(
    "/{reference}/verify",
    response=CaseOut,
    operation_id="confirm_identity",
    openapi_extra=writes(BY_KEY),
)
def verify(request: HttpRequest, reference: str, said: IdentityIn) -> CaseOut:
    """Record how the member of staff whom the key acts for made sure who asks.

    Refused for a case that keys of the same name handed in.
    """
    key = key_of(request)
    case = case_for(key, reference, WRITE)
    check = Check(method=said.method, level=said.level, doubt=said.doubt)
    workflow.check_identity(
        case_id=case.pk, check=check, user=staff_of(request), key_name=key.name
    )
    case.refresh_from_db()
    return told_of(case)


@router.post(
    "/{reference}/decisions",
    response={201: DecisionOut},
    operation_id="propose_decision",
    openapi_extra=writes(BY_KEY),
)
def propose(
    request: HttpRequest, reference: str, said: DecisionIn
) -> Status[DecisionOut] | HttpResponse:
    """Propose to accept or to refuse, in the name of the member of staff whom the key acts for.

    Somebody else approves it on the pages of staff; no key can.
    """
    case = case_for(key_of(request), reference, WRITE)
    user, assessed = staff_of(request), _assessed(said)
    try:
        if said.decision == "ACCEPT":
            made = workflow.accept(case_id=case.pk, ground="", user=user, assessed=assessed)
        else:
            made = workflow.refuse(
                case_id=case.pk, code=said.refusal_code, user=user, assessed=assessed
            )
    except ValueError as error:
        return problem(422, str(error))
    return Status(201, decision_out(made))


@router.get(
    "/{reference}/decisions",
    response=list[DecisionOut],
    auth=Scope(READ),
    operation_id="list_decisions",
)
def decisions(request: HttpRequest, reference: str) -> list[DecisionOut]:
    """List what was proposed about a case and what became of it, the oldest first."""
    case = case_for(key_of(request), reference, READ)
    return [decision_out(one) for one in case.decisions.order_by("proposed_at", "pk")]


@router.get(
    "/{reference}/runs", response=list[CaseRunOut], auth=READERS, operation_id="list_case_runs"
)
def runs(request: HttpRequest, reference: str) -> list[CaseRunOut]:
    """List the unlearning runs of a case in the order of its plan, each with how far it is."""
    return [_run(one) for one in runs_of(case_for(key_of(request), reference, READ))]


def staff_of(request: HttpRequest) -> User:
    """Return the member of staff whom a key acts for. Raises PermissionDenied for nobody."""
    user = key_of(request).acts_for
    if user is None:
        raise PermissionDenied(
            "This key acts for nobody: make one with manage.py api_key create --as USERNAME."
        )
    return user


def _assessed(said: DecisionIn) -> Assessed:
    return Assessed(
        grounds=tuple(Ground(**one.dict()) for one in said.grounds),
        excepted=tuple(Excepted(**one.dict()) for one in said.exceptions),
        assessment=said.assessment,
        evidence=said.evidence,
        position=said.legal_position,
    )


def decision_out(made: Decision) -> DecisionOut:
    """Return a decision as the API shows it."""
    return DecisionOut(
        decision=made.pk,
        kind=made.kind,
        state=made.state,
        grounds=list(made.grounds.order_by("pk").values_list("code", flat=True)),
        refusal_code=made.refusal_code,
        proposed_at=made.proposed_at,
        approved_at=made.approved_at,
    )


def _run(found: CaseRun) -> CaseRunOut:
    run, job = found.run, found.job
    return CaseRunOut(
        run=run.pk,
        version=run.target_id,
        version_name=str(run.target),
        method=run.method,
        guarantee=run.guarantee,
        status=run.status,
        verdict=found.verdict.outcome if found.verdict else None,
        unlearned=run.unlearned_id,
        escalated_from=run.escalated_from_id,
        forget_set_size=run.forget_count,
        seconds=run.seconds,
        created_at=run.created_at,
        ended_at=run.ended_at,
        progress=ProgressOut(status=job.status, phase=job.phase, done=job.done, total=job.total)
        if job
        else None,
    )
