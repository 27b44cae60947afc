"""Keep the files of a report and log that they were written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction

from audits.models import ErasureRequest
from audits.queries.reports import KINDS, report_files
from audits.services import log
from lineage.services.artefacts import store_artefact

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from uuid import UUID


@transaction.atomic
def keep_report(*, case_id: UUID, contents: Mapping[str, bytes], now: datetime) -> bool:
    """Store the files of a case's report by format and log each, once; False when they are known.

    Raises:
        ValueError: the formats are not exactly those of ``KINDS``.
        StoreFull, StoreNotWritable: nothing was kept.
    """
    if contents.keys() != KINDS.keys():
        raise ValueError(f"contents has {sorted(contents)}; needed are {sorted(KINDS)}.")
    request = ErasureRequest.objects.select_for_update().get(pk=case_id)
    if report_files(request):
        return False
    for name, kind in KINDS.items():
        artefact = store_artefact(kind=kind, data=contents[name], now=now)
        log.append(
            type="report_exported",
            case=case_id,
            now=now,
            data={"format": name, "digest": artefact.sha256},
            once=f"report:{case_id}:{name}",
        )
    log.anchor(now=now)
    return True
