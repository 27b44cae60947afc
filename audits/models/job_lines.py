"""What a job says while it runs, for the page of its case."""

from __future__ import annotations

from django.db import models

from lineage.models import Job


class JobLine(models.Model):
    """One line of the log of a job: a phase that began, or a message of the platform's loggers.

    Only the newest of a job are kept, and none of one that succeeded
    (``audits/services/job_lines.py``).
    """

    job = models.ForeignKey(Job, models.CASCADE, related_name="lines")
    at = models.DateTimeField()
    level = models.CharField(max_length=8)
    text = models.CharField(max_length=300)

    class Meta:
        ordering = ("pk",)

    def __str__(self) -> str:
        return f"{self.level} {self.text}"
