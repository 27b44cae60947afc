"""The job that builds membership tiles in the background."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils import timezone

from lineage.models import OrdinalSpace
from lineage.services import jobs, tiles

if TYPE_CHECKING:
    from lineage.models import Job


def build_tiles(job: Job) -> None:
    """Build the tiles of one group; where another job took it over, that one's count."""
    space = OrdinalSpace.objects.get(public_id=job.payload_id)

    def told(done: int, total: int) -> None:
        jobs.report_progress(job=job, phase="Building membership tiles", done=done, total=total)

    try:
        tiles.build_group(
            space=space, group=job.parameters["group"], now=timezone.now(), progress=told
        )
    except tiles.AnotherBuilds:
        return
