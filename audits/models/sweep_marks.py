"""When the sweeper was through last, for whoever watches the installation."""

from __future__ import annotations

from django.db import models


class SweepMark(models.Model):
    """The one row of it: the last sweep that came to its end, and how many steps of it failed."""

    began_at = models.DateTimeField()
    ended_at = models.DateTimeField()
    failed = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            models.CheckConstraint(name="there_is_one_mark_of_the_sweep", condition=models.Q(id=1))
        ]

    def __str__(self) -> str:
        return f"swept at {self.ended_at}"
