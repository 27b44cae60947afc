"""Accepted cases of which exceptions of Art. 17(3) keep a part."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from django.utils import timezone

from audits import workflow
from audits.core.assessment import Assessed, Excepted, Ground
from audits.models import ErasureRequest, LocationException
from audits.queries.clocks import today
from tests.audits.world import ADA, officer, reviewer

FOUND = Ground(
    code="ART_17_1_D", purpose="Training", assessment="There was no basis for the training."
)


def tomorrow() -> date:
    return today(timezone.now()) + timedelta(days=1)


def kept(**changed: object) -> Excepted:
    given: dict[str, Any] = {
        "code": "ART_17_3_B",
        "basis": "Ten years by section 147 of the tax code.",
        "scope": "Invoices alone.",
        "until": tomorrow(),
    }
    return Excepted(**given | changed)


def withdrawn(world) -> ErasureRequest:
    """A confirmed withdrawal of consent, at which all processing stops at once."""
    with world.commit(execute=True):
        got = workflow.submit(email=ADA, kind="CONSENT")
    with world.commit(execute=True):
        case: ErasureRequest = workflow.confirm(token=got.confirm_token)
    return case


def accepted(world, *excepted: Excepted, case: ErasureRequest | None = None) -> ErasureRequest:
    case = world.wake(case or world.ask())
    assessed = Assessed(grounds=(FOUND,), excepted=excepted)
    decision = world.do(
        workflow.accept, case_id=case.pk, ground=FOUND.code, user=officer(), assessed=assessed
    )
    world.do(workflow.approve_decision, decision=decision, user=reviewer())
    case_now: ErasureRequest = world.wake(case)
    return case_now


def after_its_day(one: LocationException) -> None:
    until = today(timezone.now()) - timedelta(days=2)
    LocationException.objects.filter(pk=one.pk).update(until=until)
