"""Earlier audits of the same version and records: nobody may try again until it passes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pyroaring import BitMap

from audits.core.policy import EvidencePolicy, Mode
from audits.models import AuditPlan, Evidence
from audits.queries.evidence import verdict_of
from unlearning.models import UnlearningRun

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

R = UnlearningRun.Status
ENDED = (R.CLEARED, R.REJECTED)


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """One earlier audit.

    Attributes:
        run: its run.
        method: the method that was audited.
        outcome: its last verdict, of several at once one that did not clear it; empty while there
            is none.
        open: whether it may still reach one.
        spent: whether its looks shared the error, so that it left none to those after it.
        kept: the kept numbers of its last look, of each case by itself where it told them apart.
    """

    run: UnlearningRun
    method: str
    outcome: str
    open: bool
    spent: bool
    kept: tuple[Mapping[str, Any], ...]


def attempts_before(plan: AuditPlan) -> list[Attempt]:
    """Return the audits before one, of the same version and any of its records.

    Whatever the method, its settings, its seed and the case: those that were fixed before it, and
    those that were fixed later and looked first. Those that ended without a look, where no attack
    could be made or the run failed, showed nobody anything and are left out.
    """
    run = plan.run
    own, looked = BitMap.deserialize(bytes(run.forget_bitmap)), _first_look(run)
    others = AuditPlan.objects.filter(run__target=run.target, run__space=run.space)
    found = []
    for other in others.exclude(pk=plan.pk).select_related("run").order_by("fixed_at", "pk"):
        if own.isdisjoint(BitMap.deserialize(bytes(other.run.forget_bitmap))):
            continue
        attempt, first = _attempt(other), _first_look(other.run)
        fixed_before = (other.fixed_at, other.pk) < (plan.fixed_at, plan.pk)
        looked_before = first is not None and (looked is None or first < looked)
        if looked_before or (fixed_before and (attempt.open or first is not None)):
            found.append(attempt)
    return found


def _first_look(run: UnlearningRun) -> datetime | None:
    return min((row.created_at for row in _looks(run)), default=None)


def _looks(run: UnlearningRun) -> list[Evidence]:
    rows = Evidence.objects.filter(run=run, kind=Evidence.Kind.U_LIRA).order_by("look")
    return [row for row in rows if "kept" in row.payload]


def _attempt(plan: AuditPlan) -> Attempt:
    run = plan.run
    last, looks = verdict_of(run), _looks(run)
    return Attempt(
        run=run,
        method=run.method,
        outcome=str(last.outcome) if last else "",
        open=run.status not in {*ENDED, R.FAILED},
        spent=EvidencePolicy.from_dict(plan.policy).mode is Mode.LOOKS,
        kept=tuple(row.payload["kept"] for row in looks if row.look == looks[-1].look),
    )
