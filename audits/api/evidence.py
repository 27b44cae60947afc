"""What was measured for a case and what was concluded from it."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from django.http import HttpResponse
from ninja import Router, Schema

from audits.queries.cases_by_key import case_for
from audits.queries.evidence import EvidenceNotHere, case_evidence, evidence_called, file_of
from lineage.api.auth import Scope, key_of
from lineage.api.conventions import JSON

if TYPE_CHECKING:
    from django.http import HttpRequest

    from audits.models import Evidence

READ = "evidence:read"
router = Router(auth=Scope(READ), tags=["evidence"])

ERRORS: dict[type[Exception], int] = {EvidenceNotHere: 404}


class EvidenceOut(Schema):
    """One look: what kind, at how many models, and the verdict; null where none was drawn.

    ``digest`` is over what was kept, which the file of the evidence holds.
    """

    evidence: UUID
    run: UUID
    version: UUID
    kind: str
    look: int
    models_per_arm: int
    digest: str
    outcome: str | None
    reasons: list[str]
    final: bool | None
    created_at: datetime


@router.get("/{reference}/evidence", response=list[EvidenceOut], operation_id="list_evidence")
def list_evidence(request: HttpRequest, reference: str) -> list[EvidenceOut]:
    """List the evidence on the runs of a case with its verdicts, the oldest first."""
    return [_told(one) for one in case_evidence(case_for(key_of(request), reference, READ))]


FILE = {
    "responses": {
        200: {
            "description": "The evidence file: python -m audits.core.recheck judges it again.",
            "content": {JSON: {"schema": {"type": "object"}}},
        }
    }
}


@router.get(
    "/{reference}/evidence/{evidence_id}", operation_id="show_evidence", openapi_extra=FILE
)
def show(request: HttpRequest, reference: str, evidence_id: UUID) -> HttpResponse:
    """Return all that was kept of one look, the rules it was judged by, and the verdict."""
    case = case_for(key_of(request), reference, READ)
    data = file_of(evidence_called(case, evidence_id), case)
    return HttpResponse(data, content_type=JSON)


def _told(one: Evidence) -> EvidenceOut:
    verdict = getattr(one, "verdict", None)
    return EvidenceOut(
        evidence=one.pk,
        run=one.run_id,
        version=one.run.target_id,
        kind=one.kind,
        look=one.look,
        models_per_arm=one.models_per_arm,
        digest=one.digest,
        outcome=verdict.outcome if verdict else None,
        reasons=[str(reason) for reason in verdict.reasons] if verdict else [],
        final=verdict.final if verdict else None,
        created_at=one.created_at,
    )
