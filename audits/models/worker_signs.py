"""Which workers are there, whether they have work or not."""

from __future__ import annotations

from django.db import models


class WorkerSign(models.Model):
    """A worker that takes messages now, by its name such as ``heavy@host``; it renews ``at``.

    The row goes when the worker stops taking work, so one that drains has none any more.
    """

    name = models.CharField(max_length=200, primary_key=True)
    queues = models.JSONField(default=list)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.name} at {self.at}"
