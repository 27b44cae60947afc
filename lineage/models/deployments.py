"""Where model versions run: endpoints, hubs, devices and batch jobs."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Q

from lineage.models.graph import ModelVersion


class Deployment(models.Model):
    """A version at one place, from when until when.

    It is open until another version of the model took its place there (``switched_at``,
    ``replaced_by``) or it was taken down (``withdrawn_at``). ``acknowledged_at`` is when whoever
    runs the place said that it is gone, which is more than that we were told of a switch-over.
    ``locale`` is the language in which its contact is written to; empty for the installation's.
    ``reader`` is the name of the API keys that reported it; empty where staff entered it.
    """

    class Kind(models.TextChoices):
        """What the place is."""

        ENDPOINT = "ENDPOINT", "Endpoint"
        HUB = "HUB", "Model hub"
        DEVICE = "DEVICE", "Devices"
        BATCH = "BATCH", "Batch job"
        OTHER = "OTHER", "Another place"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    version = models.ForeignKey(ModelVersion, models.PROTECT, related_name="deployments")
    model_name = models.CharField(max_length=200)
    place = models.CharField(max_length=200)
    kind = models.CharField(max_length=16, choices=Kind)
    contact = models.EmailField(blank=True)
    locale = models.CharField("language", max_length=8, blank=True)
    reader = models.CharField(max_length=200, blank=True)
    deployed_at = models.DateTimeField()
    switched_at = models.DateTimeField(null=True, blank=True)
    replaced_by = models.ForeignKey(
        ModelVersion, models.PROTECT, null=True, blank=True, related_name="+"
    )
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    acknowledged_at = models.DateTimeField(null=True, blank=True)
    note = models.CharField(max_length=500, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["model_name", "place"],
                condition=Q(switched_at=None, withdrawn_at=None),
                name="one_version_of_a_model_runs_at_a_place",
            ),
            models.CheckConstraint(
                name="a_switch_over_names_what_came",
                condition=Q(switched_at=None, replaced_by=None)
                | Q(switched_at__isnull=False, replaced_by__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.version} at {self.place}"

    @property
    def is_open(self) -> bool:
        """Return whether the version still runs there, as far as is known."""
        return self.switched_at is None and self.withdrawn_at is None
