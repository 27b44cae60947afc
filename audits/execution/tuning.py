"""One job's share of a search of hyperparameters."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils import timezone

from audits.services import tunings
from unlearning.execution.tuning import search_settings

if TYPE_CHECKING:
    from lineage.models import Job


def tune(job: Job) -> None:
    """Search, and freeze what was found by all jobs together once there are enough trials."""
    search_settings(job)
    tunings.freeze(tuning_id=job.payload_id, now=timezone.now())
