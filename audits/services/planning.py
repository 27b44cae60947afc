"""Restrict the records, keep what was found to be like them, and keep the plan."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import rfc8785
from django.db import transaction
from pyroaring import BitMap

from audits.models import DuplicateFinding, ErasureRequest, LogHead
from audits.queries.conflicts import case_ahead
from audits.queries.exceptions import chosen_of, kept_spaces
from audits.queries.forget_sets import forget_set, listed
from audits.queries.limit_sentences import NEAR_SEARCH_INCOMPLETE
from audits.services import exceptions, log
from audits.services.case_runs import add_runs
from audits.services.readings import log_readings
from audits.services.transitions import MoveNotAllowed, move
from lineage.core import bitmaps
from lineage.core.worded import worded
from lineage.queries.derivation import with_derived
from lineage.services import restriction

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import datetime
    from uuid import UUID

    from audits.services.case_runs import PlannedRun
    from lineage.models import OrdinalSpace

S = ErasureRequest.Status
Decision = DuplicateFinding.Decision


@dataclass(frozen=True, kw_only=True)
class FoundDuplicate:
    """A kept record that equals or resembles one of the forget set."""

    space: OrdinalSpace
    forget_ordinal: int
    other_ordinal: int
    kind: str
    distance: float


@transaction.atomic
def restrict_records(*, case_id: UUID, now: datetime) -> bool:
    """Take the person's records out of every training view (Art. 18)."""
    request = ErasureRequest.objects.select_related("subject").get(pk=case_id)
    if request.subject is None:
        raise MoveNotAllowed(
            worded("Case %(case)s has no data subject to restrict.", case=request.reference)
        )
    if not move(case_id=case_id, to=S.RESTRICTED, now=now):
        return False
    _restrict(case_id, chosen_of(request), now)
    exceptions.keep_apart(request=request, now=now)
    return True


@transaction.atomic
def restrict_arrived(*, case_id: UUID, now: datetime) -> bool:
    """Restrict what was imported of the person since, or derived from what the case erases.

    False when there is nothing new, and nothing that an exception keeps by now.
    """
    request = ErasureRequest.objects.select_related("subject").get(pk=case_id)
    before = forget_set(case_id)
    exceptions.keep_apart(request=request, now=now)
    known = forget_set(case_id)
    erased = dict(known)
    for space, own in chosen_of(request).items():
        erased[space] = own | known.get(space, BitMap())
    held = with_derived(erased)
    arrived = {space: held[space] - known.get(space, BitMap()) for space in held}
    kept = kept_spaces(request.subject) if request.subject else set()
    fresh = {space: new for space, new in arrived.items() if new and space.pk not in kept}
    _restrict(case_id, fresh, now)
    return bool(fresh) or known != before


def lacks_records(*, request: ErasureRequest) -> bool:
    """Return whether the case is to erase records by now that it has not restricted."""
    known = forget_set(request.pk)
    chosen = chosen_of(request)
    return any(own - known.get(space, BitMap()) for space, own in chosen.items())


def restrict_for(*, case_id: UUID, records: Mapping[OrdinalSpace, BitMap], now: datetime) -> None:
    """Restrict records that a case is about without being about one person."""
    _restrict(case_id, records, now)


def _restrict(case_id: UUID, records: Mapping[OrdinalSpace, BitMap], now: datetime) -> None:
    for space, ordinals in records.items():
        restriction.restrict(case_id=case_id, space=space, ordinals=ordinals, now=now)
        log.append(
            type="records_restricted",
            case=case_id,
            now=now,
            data={
                "space": str(space.public_id),
                "records": len(ordinals),
                "digest": bitmaps.digest(ordinals),
            },
        )


@transaction.atomic
def keep_findings(
    *,
    case_id: UUID,
    found: Sequence[FoundDuplicate],
    settings_digest: str,
    now: datetime,
    unread: int = 0,
) -> int:
    """Store what the duplicate search found; return how many still need a decision.

    ``unread`` versions' data was searched for exact duplicates only, which is an incident.
    """
    for one in found:
        DuplicateFinding.objects.get_or_create(
            request_id=case_id,
            space=one.space,
            forget_ordinal=one.forget_ordinal,
            other_ordinal=one.other_ordinal,
            defaults={"kind": one.kind, "distance": one.distance},
        )
    log_readings(request=ErasureRequest.objects.get(pk=case_id), now=now)
    kinds = [one.kind for one in found]
    log.append(
        type="duplicates_searched",
        case=case_id,
        now=now,
        data={
            "exact": kinds.count(DuplicateFinding.Kind.EXACT),
            "near": kinds.count(DuplicateFinding.Kind.NEAR),
            "settings": settings_digest,
        },
    )
    if unread:
        log.append(
            type="incident_raised",
            case=case_id,
            now=now,
            data={"code": NEAR_SEARCH_INCOMPLETE},
            once=f"near-search:{case_id}",
        )
    return undecided(case_id)


def undecided(case_id: UUID) -> int:
    """Return how many duplicates of the case staff have not decided about."""
    pending = DuplicateFinding.objects.filter(request_id=case_id, decision=Decision.PENDING)
    return pending.count()


def fix_policy(*, case_id: UUID, policy: Mapping[str, Any]) -> None:
    """Fix the policy of evidence for a case: once it is planned, no change of settings touches it.

    Before that it is that of the last try, so that cases which share a run have the same.
    """
    unplanned = ErasureRequest.objects.filter(pk=case_id, plan={})
    unplanned.update(policy=dict(policy))


@transaction.atomic
def keep_plan(
    *,
    case_id: UUID,
    plan: Mapping[str, Any],
    runs: Sequence[PlannedRun],
    now: datetime,
    together: Collection[UUID] = (),
) -> bool:
    """Store the plan and its runs, base before child; cases planned ``together`` are not ahead.

    False when the case is planned already, when a case that shares a version came before it since
    the plan was drawn, or when records were restricted or given free since: then it is drawn again
    later.
    """
    LogHead.objects.select_for_update().get(pk=1)  # one case at a time asks who comes first
    request = ErasureRequest.objects.get(pk=case_id)
    if request.status == S.RESTRICTED and case_ahead(request, besides=together):
        return False
    if request.status == S.RESTRICTED and plan["spaces"] != listed(forget_set(case_id)):
        return False
    digest = hashlib.sha256(rfc8785.dumps(dict(plan))).hexdigest()
    counts = {
        "plan": digest,
        "affected": len(plan["affected"]),
        "not_affected": len(plan["not_affected"]),
        "unknown": len(plan["unknown"]),
    }
    fields = {"plan": dict(plan), "plan_digest": digest}
    if not move(
        case_id=case_id, to=S.PLANNED, now=now, event=("plan_drawn", counts), fields=fields
    ):
        return False
    add_runs(case_id, runs, now)
    return True


@transaction.atomic
def redraw_plan(
    *, case_id: UUID, plan: Mapping[str, Any], runs: Sequence[PlannedRun], now: datetime
) -> None:
    """Replace a plan that lineage no longer matches, adding runs for what is newly affected."""
    request = ErasureRequest.objects.select_for_update().get(pk=case_id)
    digest = hashlib.sha256(rfc8785.dumps(dict(plan))).hexdigest()
    if digest == request.plan_digest:
        return
    log.append(
        type="plan_redrawn",
        case=case_id,
        now=now,
        data={"plan": digest, "previous": request.plan_digest},
    )
    ErasureRequest.objects.filter(pk=case_id).update(plan=dict(plan), plan_digest=digest)
    add_runs(case_id, runs, now)
