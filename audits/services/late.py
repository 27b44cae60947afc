"""Open a case of our own when a version turns out to have learned from erased records.

Membership can arrive after a case was sealed: a run that was open all the while, a report that
came late, a backup that was restored. Such a version is in quarantine; this gives it a case that
retrains or destroys it, linked to the case that erased the records.
"""

from __future__ import annotations

import secrets
from collections import defaultdict
from typing import TYPE_CHECKING

from django.db import transaction
from pyroaring import BitMap

from audits.core.commitment import commit
from audits.models import ErasureRequest
from audits.queries.operator_cases import NO_DEADLINE, operator_origin_of
from audits.services import clocks, log, planning
from audits.services.references import new_reference, token_digest
from audits.services.transitions import move
from lineage import keys
from lineage.core.bitmaps import decode
from lineage.models import LineagePurge, ModelVersion, OrdinalSpace, Restriction
from lineage.queries.availability import purged_ordinals
from lineage.queries.closure import affected
from lineage.queries.derivation import with_derived
from lineage.services.versions import quarantine
from unlearning.queries.privacy import left_alone

if TYPE_CHECKING:
    import uuid
    from collections.abc import Collection, Iterable, Mapping
    from datetime import datetime

    from audits.models import OperatorCase

S = ErasureRequest.Status
CHANNEL = "LATE_MEMBERSHIP"
Records = dict[OrdinalSpace, BitMap]
# A version that ended while its case was past the last check was born withdrawn, not quarantined.
_OUT_OF_USE = (ModelVersion.State.QUARANTINED, ModelVersion.State.WITHDRAWN)


def open_late_cases(*, now: datetime) -> list[uuid.UUID]:
    """Return new cases for versions that learned from erased records and no open case deals with.

    One for each case that had erased the records; what that case erased is restricted at once,
    so that whatever else turns up meanwhile is part of it. Again, it opens nothing. While the
    first case is still open, its own plan is redrawn instead.
    """
    if not ModelVersion.objects.filter(state__in=_OUT_OF_USE).exists():
        return []
    with transaction.atomic():
        return [_open(case, versions, now) for case, versions in _unhandled(now).items()]


def _unhandled(now: datetime) -> Mapping[uuid.UUID, set[uuid.UUID]]:
    """Return, by the case that erased what they learned from, the versions, in quarantine now."""
    found: dict[uuid.UUID, set[uuid.UUID]] = defaultdict(set)
    for space in OrdinalSpace.objects.filter(purges__isnull=False).distinct():
        gone = purged_ordinals(space) - _being_erased(space)
        for where, ordinals in with_derived({space: gone}).items():
            accepted = left_alone(where)
            for hit in affected(where, ordinals - _being_erased(where)).versions:
                owed = hit.forget - accepted.get(hit.version.id, BitMap())
                if not owed:
                    continue
                quarantine(version=hit.version, now=now)
                for case in _erased_by(space, where, owed):
                    found[case].add(hit.version.id)
    return found


def _erased_by(space: OrdinalSpace, where: OrdinalSpace, hits: BitMap) -> Iterable[uuid.UUID]:
    """Yield the cases that erased, in ``space``, what some ordinals are or were derived from.

    Each ordinal's first one. A linked case erases once more what another one did; that other
    one is the original.
    """
    again = set(ErasureRequest.objects.filter(channel=CHANNEL).values_list("pk", flat=True))
    purges = LineagePurge.objects.filter(space=space).order_by("purged_at", "id")
    for purge in sorted(purges, key=lambda purge: purge.case_id in again):
        ours = decode(bytes(purge.bitmap))
        if where != space:
            ours = with_derived({space: ours}).get(where, BitMap())
        if ours & hits:
            yield purge.case_id
            hits = hits - ours


def _erased_records(case_id: uuid.UUID) -> Records:
    """Return what a case erased, with what was derived from it since."""
    purges = LineagePurge.objects.filter(case_id=case_id).select_related("space")
    return with_derived({purge.space: decode(bytes(purge.bitmap)) for purge in purges})


def _being_erased(space: OrdinalSpace) -> BitMap:
    """Return what an open case erases, whose plan reaches every version by itself."""
    unsealed = ErasureRequest.objects.exclude(status=S.SEALED).values("pk")
    rows = Restriction.objects.filter(space=space, case_id__in=unsealed, lifted_at=None)
    return BitMap().union(*(decode(bytes(row.bitmap)) for row in rows))


def _open(original_id: uuid.UUID, versions: Collection[uuid.UUID], now: datetime) -> uuid.UUID:
    original = ErasureRequest.objects.filter(pk=original_id).first()
    ours = operator_origin_of(original_id)
    if ours:
        request = _open_for_operator(original, ours, now)
    else:
        request = _open_for_person(original, original_id, now)
    linked = {"original": original_id, "versions": len(versions)}
    log.append(type="case_linked", case=request.pk, now=now, data=linked)
    if not ours:
        ground = {"ground": request.ground}
        log.append(type="request_accepted", case=request.pk, now=now, data=ground)
    move(case_id=request.pk, to=S.RESTRICTED, now=now)
    planning.restrict_for(case_id=request.pk, records=_erased_records(original_id), now=now)
    return request.pk


def _open_for_person(
    original: ErasureRequest | None, original_id: uuid.UUID, now: datetime
) -> ErasureRequest:
    due = clocks.due_of(now)
    request = ErasureRequest.objects.create(
        reference=new_reference(),
        status=S.ACCEPTED,
        kind=original.kind if original else ErasureRequest.Kind.ERASURE,
        channel=CHANNEL,
        linked_to=original,
        # A restored case may be older than its decision, and then has no ground yet.
        ground=(original.ground if original else "") or ErasureRequest.Ground.UNLAWFUL,
        status_digest=token_digest(secrets.token_urlsafe(32)),
        received_at=now,
        accepted_at=now,
        due_on=due.due_on,
        due_rule=due.rule,
    )
    clocks.start_clock(request=request, due=due)
    received = {
        "channel": CHANNEL,
        "commitment": commit(keys.create(f"case:{request.pk}"), {"original": str(original_id)}),
        "received_on": due.received_on,
        "due_on": due.due_on,
        "rule": due.rule,
        "calendar": due.calendar,
    }
    log.append(type="request_received", case=request.pk, now=now, data=received)
    return request


def _open_for_operator(
    original: ErasureRequest | None, first: OperatorCase, now: datetime
) -> ErasureRequest:
    """Open a case that nobody asked for: it was approved with the operator's, ``first``."""
    request = ErasureRequest.objects.create(
        reference=new_reference("OP"),
        kind=ErasureRequest.Kind.OPERATOR,
        status=S.APPROVED,
        channel=CHANNEL,
        linked_to=original,
        status_digest=token_digest(secrets.token_urlsafe(32)),
        received_at=now,
        accepted_at=now,
        due_rule=NO_DEADLINE,
    )
    opened = {
        "reason": first.reason,
        "space": str(first.space.public_id),
        "disposal": first.disposal,
    }
    log.append(type="case_opened", case=request.pk, now=now, data=opened)
    return request
