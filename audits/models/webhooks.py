"""Other systems that are told what happens, and each message to them."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Q


class Webhook(models.Model):
    """A system that is told of some kinds of events. Services: ``audits/services/webhooks.py``.

    ``next_index`` is the first event of the log that it was not told of yet: the log is the
    outbox. The secret lies in the key store under ``secret_name``; ``previous_until`` says how
    long the one before is used beside it.
    """

    class State(models.TextChoices):
        """Whether it is told."""

        ACTIVE = "ACTIVE", "Active"
        PAUSED = "PAUSED", "Paused"

    class Because(models.TextChoices):
        """Why it is not told."""

        STAFF = "STAFF", "Somebody paused it"
        GONE = "GONE", "It answered that it is gone (410)"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.SlugField(max_length=64, unique=True)
    url = models.CharField(max_length=1000)
    kinds = models.JSONField()
    state = models.CharField(max_length=8, choices=State, default=State.ACTIVE)
    because = models.CharField(max_length=8, choices=Because, blank=True)
    generation = models.PositiveIntegerField(default=1)
    previous_until = models.DateTimeField(null=True, blank=True)
    next_index = models.BigIntegerField()
    # Tries in a row that failed, and when one went well.
    failures = models.PositiveIntegerField(default=0)
    answered_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def secret_name(self, generation: int) -> str:
        """Return the name of a secret in the key store."""
        return f"webhook:{self.pk}:{generation}"


class WebhookDelivery(models.Model):
    """One message to one webhook: the bytes that are sent, however often, and how that goes.

    ``index`` is the event it tells of; none for a test. ``since`` is when its tries began.
    """

    class State(models.TextChoices):
        """How far it is."""

        WAITING = "WAITING", "Waiting"
        SENT = "SENT", "Delivered"
        FAILED = "FAILED", "Given up"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    webhook = models.ForeignKey(Webhook, models.CASCADE, related_name="deliveries")
    index = models.BigIntegerField(null=True, blank=True)
    kind = models.CharField(max_length=32)
    body = models.BinaryField()
    state = models.CharField(max_length=8, choices=State, default=State.WAITING)
    attempts = models.PositiveIntegerField(default=0)
    since = models.DateTimeField()
    next_at = models.DateTimeField(null=True, blank=True)
    leased_until = models.DateTimeField(null=True, blank=True)
    status = models.PositiveIntegerField(null=True, blank=True)
    error = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["webhook", "next_at"],
                condition=Q(state="WAITING"),
                name="webhook_delivery_due",
            ),
            models.Index(fields=["webhook", "-created_at"], name="webhook_delivery_newest"),
        ]
        constraints = [
            models.CheckConstraint(
                name="a_message_that_waits_has_a_next_try",
                condition=~Q(state="WAITING") | Q(next_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} to {self.webhook_id}"
