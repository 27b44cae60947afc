"""Open a case of our own when a version turns out to have learned from erased records.

Membership can arrive after a case was sealed: a run that was open all the while, a report that
came late, a backup that was restored. Such a version is in quarantine; this gives it a case that
retrains or destroys it, linked to the case that erased the records.
"""

from __future__ import annotations

import secrets
from collections import defaultdict
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import transaction
from pyroaring import BitMap

from audits.core.commitment import commit
from audits.core.deadline import deadline
from audits.models import ErasureRequest
from audits.services import log, planning
from audits.services.requests import new_reference, token_digest
from audits.services.transitions import move
from lineage import keys
from lineage.core.bitmaps import decode
from lineage.models import LineagePurge, ModelVersion, OrdinalSpace, Restriction
from lineage.queries.availability import purged_ordinals
from lineage.queries.closure import affected

if TYPE_CHECKING:
    import uuid
    from collections.abc import Mapping
    from datetime import datetime

S = ErasureRequest.Status
CHANNEL = "LATE_MEMBERSHIP"
Records = dict[OrdinalSpace, BitMap]


def open_late_cases(*, now: datetime) -> list[uuid.UUID]:
    """Return new cases for versions in quarantine that no open case deals with.

    One for each case that had erased the records; what it is about is restricted at once. Again,
    it opens nothing. While the first case is still open, its own plan is redrawn instead.
    """
    if not ModelVersion.objects.filter(state=ModelVersion.State.QUARANTINED).exists():
        return []
    with transaction.atomic():
        return [
            _open(original, records, versions, now)
            for original, (records, versions) in _unhandled().items()
        ]


def _unhandled() -> Mapping[uuid.UUID, tuple[Records, int]]:
    """Return, by the case that erased them, the records that still act on something."""
    records: dict[uuid.UUID, Records] = defaultdict(dict)
    versions: dict[uuid.UUID, set[uuid.UUID]] = defaultdict(set)
    for space in OrdinalSpace.objects.filter(purges__isnull=False).distinct():
        taken = _being_erased(space)
        for hit in affected(space, purged_ordinals(space) - taken).versions:
            for purge in LineagePurge.objects.filter(space=space):
                if ours := decode(bytes(purge.bitmap)) & hit.forget:
                    mine = records[purge.case_id]
                    mine[space] = mine.get(space, BitMap()) | ours
                    versions[purge.case_id].add(hit.version.id)
    return {case: (found, len(versions[case])) for case, found in records.items()}


def _being_erased(space: OrdinalSpace) -> BitMap:
    """Return what an open case erases, whose plan reaches every version by itself."""
    unsealed = ErasureRequest.objects.exclude(status=S.SEALED).values("pk")
    rows = Restriction.objects.filter(space=space, case_id__in=unsealed)
    return BitMap().union(*(decode(bytes(row.bitmap)) for row in rows))


def _open(original_id: uuid.UUID, records: Records, versions: int, now: datetime) -> uuid.UUID:
    original = ErasureRequest.objects.filter(pk=original_id).first()
    due = deadline(now, zone=settings.EXPUNGE_CLOCK_ZONE, country=settings.EXPUNGE_COUNTRY)
    # A restored case may be older than its decision, and then has no ground yet.
    ground = (original.ground if original else "") or ErasureRequest.Ground.UNLAWFUL
    request = ErasureRequest.objects.create(
        reference=new_reference(),
        status=S.ACCEPTED,
        channel=CHANNEL,
        linked_to=original,
        ground=ground,
        status_digest=token_digest(secrets.token_urlsafe(32)),
        received_at=now,
        accepted_at=now,
        due_on=due.due_on,
        due_rule=due.rule,
    )
    received = {
        "channel": CHANNEL,
        "commitment": commit(keys.create(f"case:{request.pk}"), {"original": str(original_id)}),
        "received_on": due.received_on,
        "due_on": due.due_on,
        "rule": due.rule,
        "calendar": due.calendar,
    }
    linked = {"original": original_id, "versions": versions}
    log.append(type="request_received", case=request.pk, now=now, data=received)
    log.append(type="case_linked", case=request.pk, now=now, data=linked)
    log.append(type="request_accepted", case=request.pk, now=now, data={"ground": ground})
    move(case_id=request.pk, to=S.RESTRICTED, now=now)
    planning.restrict_for(case_id=request.pk, records=records, now=now)
    return request.pk
