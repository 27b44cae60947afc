"""The one table of work to do. The queue is only a doorbell; this row is the truth.

* QUEUED -> RUNNING by one conditional UPDATE that also writes the lease;
* RUNNING -> SUCCEEDED | FAILED | CANCELLED by whoever holds the lease;
* RUNNING -> QUEUED while store or database are away, with a pause (``services/away.py``);
* RUNNING with a lapsed lease -> QUEUED again, up to ``max_attempts``, then FAILED; CANCELLED if
  that was asked for, as whoever would have stopped is gone.

While a queue has a row of ``PausedQueue``, none of its jobs is claimed.
"""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models


class Job(models.Model):
    """One piece of work, done by one child process."""

    class Status(models.TextChoices):
        """Life of a job."""

        QUEUED = "QUEUED", "Queued"
        RUNNING = "RUNNING", "Running"
        SUCCEEDED = "SUCCEEDED", "Succeeded"
        FAILED = "FAILED", "Failed"
        CANCELLED = "CANCELLED", "Cancelled"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    key = models.CharField(max_length=200, unique=True)
    kind = models.CharField(max_length=32)
    queue = models.CharField(max_length=16)
    payload_id = models.UUIDField(db_index=True)
    parameters = models.JSONField(default=dict, blank=True)
    then = models.CharField(max_length=100, blank=True)
    status = models.CharField(max_length=16, choices=Status, default=Status.QUEUED)
    attempt = models.IntegerField(default=0)
    max_attempts = models.IntegerField(default=3)
    holder = models.UUIDField(null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    heartbeat_at = models.DateTimeField(null=True, blank=True)
    rung_at = models.DateTimeField(null=True, blank=True)
    cancel_requested = models.BooleanField(default=False)
    phase = models.CharField(max_length=100, blank=True)
    done = models.BigIntegerField(default=0)
    total = models.BigIntegerField(default=0)
    error_code = models.CharField(max_length=64, blank=True)
    error = models.TextField(blank=True)
    created_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [models.Index(fields=["status", "queue"], name="job_status_queue")]
        constraints = [
            models.CheckConstraint(
                name="a_job_is_running_if_and_only_if_somebody_holds_it",
                condition=models.Q(status="RUNNING", holder__isnull=False)
                | (~models.Q(status="RUNNING") & models.Q(holder=None)),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {str(self.pk)[:8]}"


class PausedQueue(models.Model):
    """A queue from which no job is claimed until the row is gone; what runs is not stopped.

    ``paused_by`` is empty where a command did it.
    """

    queue = models.CharField(max_length=16, primary_key=True)
    paused_at = models.DateTimeField()
    paused_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )

    def __str__(self) -> str:
        return f"{self.queue} is paused"
