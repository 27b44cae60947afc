"""What staff ask before anybody asked for anything."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction
from django.utils import timezone

from audits.services import plan_previews
from audits.workflow.doorbell import queue_of, ring
from lineage.services import jobs

if TYPE_CHECKING:
    from collections.abc import Mapping
    from uuid import UUID

    from django.contrib.auth.models import User
    from pyroaring import BitMap

    from audits.models import PlanPreview
    from lineage.models import OrdinalSpace


@transaction.atomic
def preview_plan(
    *, version_id: UUID, by: PlanPreview.By, forget: Mapping[OrdinalSpace, BitMap], user: User
) -> PlanPreview:
    """Have a worker say what would be done for some records of a version.

    Raises:
        NotAllowed: the member of staff neither handles cases nor decides about models.
    """
    now = timezone.now()
    preview = plan_previews.ask(version_id=version_id, by=by, forget=forget, user=user, now=now)
    ring(
        jobs.create_job(
            key=f"preview:{preview.pk}",
            kind="PREVIEW",
            queue=queue_of("PREVIEW", "lineage"),
            payload_id=preview.pk,
            now=now,
        )
    )
    return preview
