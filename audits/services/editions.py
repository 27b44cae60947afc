"""Keep the editions of reports and log that they were written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction

from audits.core.editions import Edition
from audits.models import ErasureRequest
from audits.queries.editions import EXPORTED, editions_of
from audits.services import log
from lineage.models import Artefact
from lineage.services.artefacts import store_artefact

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID


@transaction.atomic
def keep_edition(
    *, case_id: UUID, edition: Edition, language: str, pdf: bytes, now: datetime
) -> bool:
    """Store an edition of a case's report and log it, once; False when it is known.

    Raises:
        StoreFull, StoreNotWritable: nothing was kept.
    """
    request = ErasureRequest.objects.select_for_update().get(pk=case_id)
    if (edition, language) in editions_of(request):
        return False
    artefact = store_artefact(kind=Artefact.Kind.REPORT, data=pdf, now=now)
    log.append(
        type=EXPORTED,
        case=case_id,
        now=now,
        data=_data(edition, language, artefact.sha256),
        once=f"edition:{case_id}:{edition}:{language}:{artefact.sha256}",
    )
    log.anchor(now=now)
    return True


@transaction.atomic
def log_public_edition(*, language: str, digest: str, now: datetime) -> None:
    """Log that a public edition was written; the file is not stored, being drawn from records."""
    log.append(type=EXPORTED, case=None, now=now, data=_data(Edition.PUBLIC, language, digest))
    log.anchor(now=now)


def _data(edition: Edition, language: str, digest: str) -> dict[str, str]:
    return {
        "edition": edition.value,
        "language": language,
        "format": "PDF",
        "digest": digest,
    }
