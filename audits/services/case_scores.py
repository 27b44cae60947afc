"""Keep how far the training records of an operator's case support what its seeds teach."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import rfc8785
from django.db import transaction

from audits.models import ErasureRequest, ScoredRecord
from audits.queries.operator_cases import needs_scores, seeds_of
from audits.services import log
from audits.services.operator_cases import locked
from lineage.core import bitmaps
from lineage.queries.availability import purged_ordinals

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from uuid import UUID

S = ErasureRequest.Status


@transaction.atomic
def keep_scores(
    *,
    case_id: UUID,
    records: Sequence[tuple[int, float, int]],
    finding: Mapping[str, Any],
    note: str,
    now: datetime,
) -> bool:
    """Keep what was measured around the seeds and propose their clusters.

    False if it is known, or if the case was dropped meanwhile.

    Args:
        case_id: of the case.
        records: (ordinal, score, cluster or 0) of those to be shown.
        finding: how it was measured, as JSON.
        note: why nothing beside the seeds is proposed; empty if something is.
        now: when.
    """
    case = locked(case_id)
    if case.request.status != S.DRAFT or not needs_scores(case):
        return False
    gone = purged_ordinals(case.space)  # some may have been erased while they were scored
    records = [one for one in records if one[0] not in gone]
    ScoredRecord.objects.bulk_create(
        ScoredRecord(case=case, ordinal=ordinal, score=score, cluster=cluster)
        for ordinal, score, cluster in records
    )
    seeds = seeds_of(case)
    found = seeds.copy()
    if not note:
        found.update(ordinal for ordinal, _, cluster in records if cluster)
    case.finding, case.note, case.chosen = dict(finding), note, bitmaps.encode(found)
    case.save(update_fields=["finding", "note", "chosen"])
    told = {
        "version": str(case.version_id),
        "seeds": len(seeds),
        "found": len(found - seeds),
        "result": hashlib.sha256(
            rfc8785.dumps({"finding": case.finding, "note": note})
        ).hexdigest(),
    }
    log.append(type="forget_set_scored", case=case_id, now=now, data=told)
    return True
