"""Note that the sweeper was through."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audits.models import SweepMark

if TYPE_CHECKING:
    from datetime import datetime


def note_sweep(*, began: datetime, ended: datetime, failed: int) -> None:
    """Keep when a sweep began and ended, and how many of its steps and cases failed."""
    SweepMark.objects.update_or_create(
        pk=1, defaults={"began_at": began, "ended_at": ended, "failed": failed}
    )
