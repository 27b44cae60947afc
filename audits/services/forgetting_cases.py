"""Forget all that a closed case holds by which a person could be known.

What stays: reference, kind, outcome, codes, days, digests of the log's own, the links between
cases, and which member of staff did what.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from audits.models import (
    AnswerRoute,
    Decision,
    ErasureRequest,
    ExtensionDecision,
    GroundFinding,
    Intake,
    Letter,
    LocationException,
    LocationResult,
    Notice,
    PersonalDetails,
    ProcessingStop,
    VersionException,
)
from audits.services.job_lines import forget_lines_of

if TYPE_CHECKING:
    from uuid import UUID

# The database wants evidence beside a refusal as unfounded, and a reason beside a notice that
# cannot be sent; that there was one is still said.
GONE = "Destroyed with the identity."
UNSENT = (Letter.State.WAITING, Letter.State.FAILED, Letter.State.TO_POST)
R = LocationResult.Result


def forget_case(*, request: ErasureRequest) -> None:
    """Delete address, details, letters and words of a case; within a transaction."""
    case_id = request.pk
    ErasureRequest.objects.filter(pk=case_id).update(
        email="", subject=None, confirm_digest="", failure=""
    )
    PersonalDetails.objects.filter(request=case_id).delete()
    AnswerRoute.objects.filter(request=case_id).delete()
    # What another system called the request may be a name as well.
    Intake.objects.filter(request=case_id).update(idempotency=None, content="", mandate_digest="")
    letters = Letter.objects.filter(request=case_id)
    letters.filter(state__in=UNSENT).update(state=Letter.State.DROPPED, next_try_at=None)
    letters.update(content=b"", asked="", error="")
    _forget_words(case_id)
    forget_lines_of(request)


def _forget_words(case_id: UUID) -> None:
    """Empty what staff wrote in their own words."""
    decisions = Decision.objects.filter(request=case_id)
    decisions.update(assessment="", legal_position_note="", return_note="")
    decisions.exclude(evidence="").update(evidence=GONE)
    grounds = GroundFinding.objects.filter(decision__request=case_id)
    for number, ground in enumerate(grounds.order_by("pk"), 1):
        GroundFinding.objects.filter(pk=ground.pk).update(
            purpose=f"purpose {number}", assessment="", other_ground=""
        )
    exceptions = LocationException.objects.filter(decision__request=case_id)
    exceptions.update(basis="", scope="")
    ExtensionDecision.objects.filter(request=case_id).update(reason_text="")
    ProcessingStop.objects.filter(request=case_id).update(balance_text="", lift_reason="")
    # Where a place could not be reached or emptied, the words may be those of another system.
    places = LocationResult.objects.filter(case=case_id)
    places.filter(result__in=[R.NOT_REACHABLE, R.REMAINS, R.OPEN]).update(reason="")
    Notice.objects.filter(request=case_id).exclude(reason="").update(reason=GONE)
    VersionException.objects.filter(request=case_id).update(reason=GONE)
