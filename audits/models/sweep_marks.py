"""When the sweeper was through last, for whoever watches the installation."""

from __future__ import annotations

from django.db import models


class SweepMark(models.Model):
    """The one row of it: the last sweep that came to its end, and where the next goes on.

    ``failed`` counts its steps and cases that failed, ``left`` the cases that it had no time for.
    ``after`` is the case that was looked at last, written before that: it is not a foreign key,
    as the case may be gone.
    """

    began_at = models.DateTimeField()
    ended_at = models.DateTimeField()
    failed = models.PositiveIntegerField(default=0)
    left = models.PositiveIntegerField(default=0, db_default=0)
    after = models.UUIDField(null=True, editable=False)

    class Meta:
        constraints = [
            models.CheckConstraint(name="there_is_one_mark_of_the_sweep", condition=models.Q(id=1))
        ]

    def __str__(self) -> str:
        return f"swept at {self.ended_at}"
