"""What others say of a checkpoint: that it existed at a time, or that the log only grew."""

from __future__ import annotations

from django.db import models

from audits.models.trail import LogCheckpoint


class CheckpointAnchor(models.Model):
    """One answer of another party about one checkpoint, or that it is still waited for.

    ``data`` is what they sent: a time stamp (RFC 3161), or cosignature lines (C2SP). The log
    names its digest, so that a change is found.
    """

    class Kind(models.TextChoices):
        """Who is asked."""

        STAMP = "STAMP", "Time-stamping authority"
        WITNESS = "WITNESS", "Witness"

    checkpoint = models.ForeignKey(LogCheckpoint, models.PROTECT, related_name="anchors")
    kind = models.CharField(max_length=8, choices=Kind.choices)
    data = models.BinaryField(default=bytes)
    digest = models.CharField(max_length=64, blank=True)
    # The time that they gave; null while they have not answered.
    said_at = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveIntegerField(default=0)
    error = models.CharField(max_length=200, blank=True)
    next_at = models.DateTimeField()
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["checkpoint", "kind"], name="each_is_asked_once_about_a_checkpoint"
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} of checkpoint {self.checkpoint_id}"
