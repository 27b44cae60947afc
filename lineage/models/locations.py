"""Registers: where else data of people lie, which backups hold them, and who came back."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Q


class Location(models.Model):
    """One place outside lineage that a case erases from. Services: ``services/locations.py``.

    ``kind`` is a file of ``lineage/locations``, ``settings`` are its own and hold no secret. A
    place that masks keeps rows without the person, which needs a ``mask_reason``. One that results
    of cases refer to is never deleted, only taken out of use.
    """

    class Category(models.TextChoices):
        """What a place is to the processing."""

        DATA = "DATA", "Data"
        CACHE = "CACHE", "Cache"
        EXPORT = "EXPORT", "Export"
        LABELS = "LABELS", "Labels"
        LOG = "LOG", "Log"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    slug = models.SlugField(max_length=64, unique=True)
    kind = models.CharField(max_length=64)
    settings = models.JSONField(default=dict, blank=True)
    purpose = models.CharField(max_length=200)
    category = models.CharField(max_length=8, choices=Category, default=Category.DATA)
    retention_days = models.PositiveIntegerField(null=True, blank=True)
    mask_reason = models.CharField(max_length=200, blank=True)
    active = models.BooleanField(default=True)
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["slug"]

    def __str__(self) -> str:
        return self.slug


class Backup(models.Model):
    """A copy that still holds whoever was erased since, until it is destroyed."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=100, unique=True)
    made_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    covers = models.CharField(max_length=200)
    note = models.CharField(max_length=200, blank=True)
    destroyed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["expires_at", "name"]
        constraints = [
            models.CheckConstraint(
                name="a_backup_expires_after_it_was_made",
                condition=Q(expires_at__gt=models.F("made_at")),
            ),
        ]

    def __str__(self) -> str:
        return self.name


class SuppressionHit(models.Model):
    """How many people of the suppression list an import of one day met and refused. Not who."""

    day = models.DateField(primary_key=True)
    people = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.people} on {self.day}"
