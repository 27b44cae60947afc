"""Note that the sweeper was through, and how far it came."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils import timezone

from audits.models import SweepMark

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID


def note_sweep(*, began: datetime, ended: datetime, failed: int, left: int) -> None:
    """Keep when a sweep began and ended, how many of its steps and cases failed or were left."""
    SweepMark.objects.update_or_create(
        pk=1, defaults={"began_at": began, "ended_at": ended, "failed": failed, "left": left}
    )


def note_place(case: UUID) -> None:
    """Keep the case that a sweep looks at next, so that another goes on behind it."""
    if not SweepMark.objects.filter(pk=1).update(after=case):
        # The first sweep there is: were it to die here, the next must not begin with this case.
        now = timezone.now()
        SweepMark.objects.get_or_create(
            pk=1, defaults={"began_at": now, "ended_at": now, "after": case}
        )
