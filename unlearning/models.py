"""Runs of unlearning methods; they know nothing of requests or the law."""

from __future__ import annotations

import uuid

from django.db import models

from lineage.models import ModelVersion, OrdinalSpace


class UnlearningRun(models.Model):
    """One method applied to one model version and one forget set.

    * WAITING -> QUEUED | SUCCEEDED, when staff decide about a version without a recipe;
    * QUEUED | RUNNING | FAILED -> WAITING, when staff take a run over that cannot be carried out;
    * QUEUED -> RUNNING -> SUCCEEDED | FAILED, written by the child process;
    * SUCCEEDED -> CLEARED | REJECTED, written when the evidence has been judged;
    * CLEARED -> REJECTED, when a child that was rebuilt on the result was not cleared.
    """

    class Status(models.TextChoices):
        """Life of a run."""

        WAITING = "WAITING", "Waiting for a decision"
        QUEUED = "QUEUED", "Queued"
        RUNNING = "RUNNING", "Running"
        SUCCEEDED = "SUCCEEDED", "Awaiting audit"
        CLEARED = "CLEARED", "Cleared"
        REJECTED = "REJECTED", "Not cleared"
        FAILED = "FAILED", "Failed"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    target = models.ForeignKey(ModelVersion, models.PROTECT, related_name="unlearning_runs")
    base = models.ForeignKey(
        ModelVersion, models.PROTECT, null=True, blank=True, related_name="rebuilt_children"
    )
    method = models.CharField(max_length=64)
    hyperparameters = models.JSONField(default=dict, blank=True)
    seed = models.BigIntegerField()
    space = models.ForeignKey(OrdinalSpace, models.PROTECT, related_name="+")
    forget_bitmap = models.BinaryField()
    forget_count = models.BigIntegerField()
    forget_digest = models.CharField(max_length=64)
    status = models.CharField(max_length=16, choices=Status, default=Status.QUEUED)
    guarantee = models.CharField(max_length=32, blank=True)
    unlearned = models.OneToOneField(
        ModelVersion, models.PROTECT, null=True, blank=True, related_name="unlearned_by"
    )
    escalated_from = models.OneToOneField(
        "self", models.PROTECT, null=True, blank=True, related_name="escalated_to"
    )
    report = models.JSONField(default=dict, blank=True)
    seconds = models.FloatField(null=True, blank=True)
    retrain_seconds_predicted = models.FloatField(null=True, blank=True)
    error_code = models.CharField(max_length=64, blank=True)
    error = models.TextField(blank=True)
    created_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="a_run_that_succeeded_has_an_unlearned_model_unless_it_destroys",
                condition=models.Q(
                    status__in=["SUCCEEDED", "CLEARED", "REJECTED"], unlearned__isnull=False
                )
                | models.Q(unlearned=None, method="destroy")
                | models.Q(status__in=["WAITING", "QUEUED", "RUNNING", "FAILED"], unlearned=None),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.method} on {self.target}"
