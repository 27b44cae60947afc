"""Who may report to and ask of this platform over HTTP."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models


class ApiKey(models.Model):
    """A secret shown once; here stand its SHA-256 and what it allows.

    ``acts_for``: the member of staff who answers for what it does to cases; most keys have none.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=200)
    prefix = models.CharField(max_length=16, unique=True)
    digest = models.CharField(max_length=64)
    scopes = models.JSONField(default=list)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    acts_for = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, null=True, blank=True, related_name="+"
    )

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix})"


class KeptAnswer(models.Model):
    """What a call with an Idempotency-Key was answered, for the case that it is made again.

    ``asked`` and ``call`` are keyed hashes: of the call, and of its Idempotency-Key under the API
    key. ``status`` is empty while the first call is being answered. Rows go after some hours.
    """

    call = models.CharField(max_length=64, primary_key=True)
    asked = models.CharField(max_length=64)
    status = models.SmallIntegerField(null=True)
    media_type = models.CharField(max_length=100, blank=True)
    body = models.BinaryField(default=bytes)
    made_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"answer to {self.call[:8]}"
