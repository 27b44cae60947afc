"""The way of a case, step by step, with the moment at which each step was taken."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db.models import Min

from audits.models import ErasureRequest, LogLeaf
from audits.queries.cases import STEPS

if TYPE_CHECKING:
    from datetime import datetime

S = ErasureRequest.Status
Outcome = ErasureRequest.Outcome
FIRST_EVENTS = {
    S.RECEIVED: ("request_received",),
    S.VERIFIED: ("request_verified",),
    S.ACCEPTED: ("request_accepted",),
    S.RESTRICTED: ("records_restricted",),
    S.PLANNED: ("plan_drawn",),
    S.UNLEARNING: ("run_finished",),
    S.AUDITING: ("verdict_reached",),
    S.ERASED: ("case_erased",),
    S.SEALED: ("case_sealed",),
}


@dataclass(frozen=True, kw_only=True)
class Stage:
    """One step: ``state`` is done, current or ahead; ``at`` when it was taken, if it was."""

    label: str
    state: str
    at: datetime | None = None


def journey(request: ErasureRequest) -> list[Stage]:
    """Return the steps of a case. One that ended early shows only the steps it took."""
    taken = _moments(request)
    if request.outcome in ("", Outcome.ERASED):
        return _whole_way(request, taken)
    return _short_way(request, taken)


def _whole_way(request: ErasureRequest, taken: dict[str, datetime]) -> list[Stage]:
    names: list[str] = [name for name, _ in STEPS]
    at = request.failed_from or request.held_from or request.status
    sealed = request.status == S.SEALED
    place = len(names) if sealed else names.index(at) if at in names else 0
    return [
        Stage(
            label=label,
            state="done" if number < place else "current" if number == place else "ahead",
            at=taken.get(name) if number <= place else None,
        )
        for number, (name, label) in enumerate(STEPS)
    ]


def _short_way(request: ErasureRequest, taken: dict[str, datetime]) -> list[Stage]:
    sealed = request.status == S.SEALED
    before = [(name, label) for name, label in STEPS[:2] if name in taken]
    return [
        *(Stage(label=label, state="done", at=taken[name]) for name, label in before),
        Stage(
            label=Outcome(request.outcome).label,
            state="done" if sealed else "current",
        ),
        Stage(label=STEPS[-1][1], state="done" if sealed else "ahead", at=taken.get(S.SEALED)),
    ]


def _moments(request: ErasureRequest) -> dict[str, datetime]:
    leaves = LogLeaf.objects.filter(case_id=request.pk).order_by()
    first: dict[str, datetime] = dict(
        leaves.values("type").annotate(first=Min("at")).values_list("type", "first")
    )
    return {
        name: min(found)
        for name, types in FIRST_EVENTS.items()
        if (found := [first[kind] for kind in types if kind in first])
    }
