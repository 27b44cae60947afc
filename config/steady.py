"""A schedule that goes on when the clock of the machine is set back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from celery.schedules import schedstate, schedule

if TYPE_CHECKING:
    from datetime import datetime


class SteadySchedule(schedule):
    """Every so many seconds, and at once where the last time lies in the future.

    Celery's own would wait until that time has come again: an hour without a sweep, if the clock
    was set back by an hour.
    """

    def is_due(self, last_run_at: datetime) -> schedstate:
        """Return whether it is time, and in how many seconds to ask again."""
        if self.maybe_make_aware(last_run_at) > self.now():
            return schedstate(is_due=True, next=self.seconds)
        return super().is_due(last_run_at)
