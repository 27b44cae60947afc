"""What a job says while it runs, for the page of its case."""

from __future__ import annotations

from django.db import models

from audits.core import said
from lineage.models import Job


class JobLine(models.Model):
    """One line of the log of a job: a phase that began, or the code of ``audits/core/said.py``.

    Only the newest of a job are kept, none of one that succeeded, of a case that is sealed, or
    older than ``EXPUNGE_JOB_LINE_DAYS`` (``audits/services/job_lines.py``).
    """

    job = models.ForeignKey(Job, models.CASCADE, related_name="lines")
    at = models.DateTimeField()
    level = models.CharField(max_length=8)
    text = models.CharField(max_length=300)

    class Meta:
        ordering = ("pk",)

    def __str__(self) -> str:
        return f"{self.level} {self.text}"

    @property
    def words(self) -> str:
        """Return what is shown of it."""
        return said.words(self.text)
