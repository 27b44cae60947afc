"""The way of a case, step by step, with the moment at which each step was taken."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db.models import Min

from audits.models import ErasureRequest, LogLeaf
from audits.queries.operator_cases import CHANNEL, origin_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

S = ErasureRequest.Status
Outcome = ErasureRequest.Outcome
Kind = ErasureRequest.Kind
BEFORE_RESTRICTION = 2  # received and confirmed: the decision is ahead
# The event that says that a step was taken. A step that is still under way has not been taken:
# "received" is over at once, "unlearning" lasts.
TAKEN: dict[str, str] = {
    S.RECEIVED: "request_received",
    S.VERIFIED: "request_verified",
    S.ACCEPTED: "request_accepted",
    S.RESTRICTED: "records_restricted",
    S.PLANNED: "plan_drawn",
    S.UNLEARNING: "run_finished",
    S.AUDITING: "verdict_reached",
    S.ERASED: "case_erased",
    S.SEALED: "case_sealed",
}
# The operator's own case: nobody confirms it, two members of staff decide.
TAKEN_BY_OPERATOR: dict[str, str] = {
    S.DRAFT: "case_opened",
    S.PROPOSED: "forget_set_proposed",
    S.APPROVED: "forget_set_approved",
    S.RESTRICTED: "records_restricted",
    S.PLANNED: "plan_drawn",
    S.UNLEARNING: "run_finished",
    S.AUDITING: "verdict_reached",
    S.ERASED: "case_removed",
    S.SEALED: "case_sealed",
}
LASTING = (S.UNLEARNING, S.AUDITING)
# Of a restriction: the records are kept, so nothing is found, unlearned or deleted.
WITHOUT_ERASURE = (S.PLANNED, S.UNLEARNING, S.AUDITING, S.ERASED)
LABELS_FOR_THE_PERSON: dict[str, str] = {
    S.RECEIVED: "We receive your request",
    S.VERIFIED: "You confirm it",
    S.ACCEPTED: "Our staff looks at it",
    S.RESTRICTED: "Your data is set aside",
    S.PLANNED: "Every model that learned from it is found",
    S.UNLEARNING: "The models unlearn it",
    S.AUDITING: "The result is tested",
    S.ERASED: "Your data is deleted",
    S.SEALED: "You get an answer and a signed record",
}
LABELS_FOR_STAFF: dict[str, str] = {
    S.RECEIVED: "Receipt",
    S.VERIFIED: "Confirmation by the person",
    S.ACCEPTED: "Decision",
    S.RESTRICTED: "Restriction of the records",
    S.PLANNED: "Duplicates and plan",
    S.UNLEARNING: "Unlearning",
    S.AUDITING: "Audit",
    S.ERASED: "Deletion",
    S.SEALED: "Seal",
}
LABELS_FOR_THE_OPERATOR: dict[str, str] = {
    S.DRAFT: "Opening",
    S.PROPOSED: "Proposal of a forget set",
    S.APPROVED: "Approval by a second person",
    S.RESTRICTED: "Records leave every training",
    S.PLANNED: "Plan",
    S.UNLEARNING: "Exact unlearning",
    S.AUDITING: "Check",
    S.ERASED: "Removal of the old versions",
    S.SEALED: "Seal",
}


@dataclass(frozen=True, kw_only=True)
class Stage:
    """One step: ``state`` is done, current or ahead; ``at`` when it was done, if that is known."""

    label: str
    state: str
    at: datetime | None = None


def journey(
    request: ErasureRequest,
    labels: Mapping[str, str],
    logged: Iterable[tuple[str, datetime]] | None = None,
) -> list[Stage]:
    """Return the steps of a case. One that ended early shows only the steps it took.

    An operator's case has steps of its own, whatever the labels of a person's. What follows on
    from one was decided there.
    ``logged``: type and moment of the events of the case in their order, where they were read.
    """
    follows = request.channel != CHANNEL
    by_operator = not follows or (bool(request.linked_to_id) and origin_of(request))
    table = TAKEN_BY_OPERATOR if by_operator else TAKEN
    taken = _moments(request, table, logged)
    if by_operator:
        decided = (S.PROPOSED, S.APPROVED) if follows else ()
        labels = {at: of for at, of in LABELS_FOR_THE_OPERATOR.items() if at not in decided}
    if request.outcome in ("", Outcome.ERASED, Outcome.REMOVED):
        return _whole_way(request, taken, labels)
    return _short_way(request, taken, labels)


def _whole_way(
    request: ErasureRequest, taken: Mapping[str, datetime], labels: Mapping[str, str]
) -> list[Stage]:
    names = [name for name in labels if name not in _left_out(request)]
    at = request.failed_from or request.held_from or request.status
    if at == S.INFO_ASKED:
        at = S.VERIFIED if request.verified_at else S.RECEIVED
    lasts = at in LASTING or (at == S.RESTRICTED and request.kind == Kind.RESTRICTION)
    place = names.index(at) + (not lasts) if at in names else 0
    return [
        Stage(
            label=labels[name],
            state=_state(number, place, early=_stopped_early(name, taken, place)),
            at=taken.get(name) if number < place or _stopped_early(name, taken, place) else None,
        )
        for number, name in enumerate(names)
    ]


def _left_out(request: ErasureRequest) -> tuple[str, ...]:
    """Return the steps that this case does not have."""
    if request.kind == Kind.RESTRICTION:
        return WITHOUT_ERASURE
    over = request.status in (S.ERASED, S.SEALED)
    return LASTING if over and not request.runs.exists() else ()


def _stopped_early(name: str, taken: Mapping[str, datetime], place: int) -> bool:
    """Return whether records were restricted before the decision: consent and objection."""
    return name == S.RESTRICTED and name in taken and place <= BEFORE_RESTRICTION


def _state(number: int, place: int, *, early: bool) -> str:
    if early or number < place:
        return "done"
    return "current" if number == place else "ahead"


def _short_way(
    request: ErasureRequest, taken: Mapping[str, datetime], labels: Mapping[str, str]
) -> list[Stage]:
    sealed = request.status == S.SEALED
    outcome = Outcome(request.outcome).label
    return [
        *(
            Stage(label=labels[name], state="done", at=taken[name])
            for name in list(labels)[:2]
            if name in taken
        ),
        Stage(label=outcome, state="done" if sealed else "current"),
        Stage(label=labels[S.SEALED], state="done" if sealed else "ahead", at=taken.get(S.SEALED)),
    ]


def _moments(
    request: ErasureRequest,
    table: Mapping[str, str],
    logged: Iterable[tuple[str, datetime]] | None,
) -> dict[str, datetime]:
    if logged is None:
        leaves = LogLeaf.objects.filter(case_id=request.pk).order_by()
        logged = leaves.values("type").annotate(first=Min("at")).values_list("type", "first")
    first: dict[str, datetime] = {}
    for event, at in logged:
        first[event] = min(at, first.get(event, at))
    return {name: first[event] for name, event in table.items() if event in first}
