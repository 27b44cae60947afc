"""Ask the registered places about a person of whom lineage holds nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils import timezone

from audits.models import ErasureRequest
from audits.services import places

if TYPE_CHECKING:
    from lineage.models import Job


def search_places(job: Job) -> None:
    """Search every place for the person of a case that would close as one about nobody."""
    request = ErasureRequest.objects.get(pk=job.payload_id)
    places.search_places(request=request, now=timezone.now())
