"""Keep the files of a report and log that they were written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction

from audits.models import ErasureRequest
from audits.queries.reports import KINDS, report_files
from audits.services import log
from lineage.models import Artefact

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from uuid import UUID

    from lineage.artifacts import StoredFile


@transaction.atomic
def keep_report(*, case_id: UUID, files: Mapping[str, StoredFile], now: datetime) -> bool:
    """Record the stored files of a case's report by format, once; False when they are known.

    Raises:
        ValueError: the formats are not exactly those of ``KINDS``.
    """
    if files.keys() != KINDS.keys():
        raise ValueError(f"files has {sorted(files)}; needed are {sorted(KINDS)}.")
    request = ErasureRequest.objects.select_for_update().get(pk=case_id)
    if report_files(request):
        return False
    for name, kind in KINDS.items():
        file = files[name]
        Artefact.objects.create(
            kind=kind, uri=file.uri, sha256=file.sha256, size=file.size, created_at=now
        )
        log.append(
            type="report_exported",
            case=case_id,
            now=now,
            data={"format": name, "digest": file.sha256},
            once=f"report:{case_id}:{name}",
        )
    return True
