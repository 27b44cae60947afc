"""When no decision about a request can be proposed; each check raises ``MoveNotAllowed``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audits.models import Decision
from audits.queries.decisions import lacks_mandate
from audits.queries.exceptions import keeps_everything
from audits.services.transitions import ALLOWED, MoveNotAllowed, cannot_become
from lineage.core.worded import worded

if TYPE_CHECKING:
    from audits.models import ErasureRequest

State = Decision.State


def check_open(request: ErasureRequest, to: str) -> None:
    """Refuse to decide what is not undecided, or was asked by an agent without a mandate."""
    if request.status not in ALLOWED[to]:
        raise MoveNotAllowed(cannot_become(request, to))
    if lacks_mandate(request):  # who may not ask is not told what we hold, by a refusal neither
        raise MoveNotAllowed(
            worded(
                "Case %(case)s was sent by an agent whose mandate nobody has seen.",
                case=request.reference,
            )
        )
    if request.outcome:  # nothing found, or joined to another: there is nothing to decide
        raise MoveNotAllowed(
            worded(
                "Case %(case)s closes by itself (%(outcome)s); there is nothing to erase.",
                case=request.reference,
                outcome=worded(request.get_outcome_display()),
            )
        )
    if request.decisions.filter(state=State.PROPOSED).exists():
        raise MoveNotAllowed(
            worded(
                "Case %(case)s: a decision is proposed already. It is approved or sent back "
                "before another can be proposed.",
                case=request.reference,
            )
        )


def check_identified(request: ErasureRequest) -> None:
    """Refuse to erase where nobody knows whose data it is."""
    if request.subject is None:
        raise MoveNotAllowed(
            worded(
                "Case %(case)s: the person is not identified. Check their identity, or close"
                " the case as not identified.",
                case=request.reference,
            )
        )


def check_something_left(decision: Decision) -> None:
    """Refuse an acceptance whose exceptions keep everything."""
    subject = decision.request.subject
    named = decision.exceptions.exclude(dataset=None).values_list("dataset__space", flat=True)
    if subject and named and keeps_everything(subject, set(named)):
        raise MoveNotAllowed(
            worded(
                "Case %(case)s: the exceptions keep every record that is held about the "
                "person. Refuse the request instead, or except less.",
                case=decision.request.reference,
            )
        )
