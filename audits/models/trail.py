"""The append-only log, its checkpoints and the sealed record."""

from __future__ import annotations

import uuid

from django.db import models

from audits.models.requests import ErasureRequest


class LogLeaf(models.Model):
    """One event: the canonical bytes and their RFC 6962 leaf hash. Triggers forbid changes."""

    index = models.BigIntegerField(primary_key=True)
    data = models.BinaryField()
    leaf_hash = models.BinaryField(max_length=32)
    case_id = models.UUIDField(null=True, db_index=True)
    # What makes an event unique where a step may be taken twice; not part of the leaf.
    once = models.CharField(max_length=200, null=True, unique=True)  # noqa: DJ001  (NULLs differ)
    type = models.CharField(max_length=64)
    at = models.DateTimeField()
    # Roots of the full subtrees that this leaf completes, from two leaves upwards, 32 bytes each.
    nodes = models.BinaryField(default=bytes)

    class Meta:
        ordering = ["index"]
        indexes = [models.Index(fields=["type", "index"], name="log_leaf_type")]

    def __str__(self) -> str:
        return f"{self.index} {self.type}"


class LogHead(models.Model):
    """One row that serialises writers: the number of leaves so far, and the tree's right edge."""

    id = models.IntegerField(primary_key=True, default=1)
    size = models.BigIntegerField(default=0)
    # Roots of the full subtrees that make up the tree, largest first, 32 bytes each.
    frontier = models.BinaryField(default=bytes)

    def __str__(self) -> str:
        return f"log of {self.size} events"


class LogCheckpoint(models.Model):
    """A signed statement of the size and root of the log."""

    size = models.BigIntegerField(primary_key=True)
    root = models.BinaryField(max_length=32)
    note = models.TextField()
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"checkpoint at {self.size}"


class ComplianceRecord(models.Model):
    """The sealed record of a case, byte for byte as it is exported."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    request = models.OneToOneField(ErasureRequest, models.PROTECT, related_name="record")
    outcome = models.CharField(max_length=32)
    data = models.BinaryField()
    sha256 = models.CharField(max_length=64, unique=True)
    seal_index = models.BigIntegerField(unique=True)
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"record of {self.request}"
