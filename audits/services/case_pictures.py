"""Keep the pictures of a sealed case beside its report."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction

from audits.models import CasePictures
from lineage.models import Artefact
from lineage.services.artefacts import store_artefact

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from uuid import UUID


@transaction.atomic
def keep_pictures(*, case_id: UUID, drawn: Mapping[str, str], now: datetime) -> None:
    """Store the pictures of a record, once.

    Args:
        case_id: whose record they are drawn from.
        drawn: SVG by name, ``provenance`` and ``timeline``; what is missing was not drawn.
        now: when.

    Raises:
        StoreFull, StoreNotWritable: nothing was kept.
    """
    if CasePictures.objects.filter(request=case_id).exists():
        return
    kept = {
        name: store_artefact(kind=Artefact.Kind.PLOT, data=svg.encode(), now=now)
        for name, svg in drawn.items()
    }
    CasePictures.objects.create(request_id=case_id, **kept)
