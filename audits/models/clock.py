"""The legal clock of a case: how its due date was derived, where it stood still, its extension."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from audits.models.requests import ErasureRequest


class CaseClock(models.Model):
    """The derivation of a due date, made at receipt and only read afterwards.

    ``skipped`` and ``extended_skipped`` hold pairs of a free day over which a limit moved, and the
    reason. The ``paused_`` dates are the limits with the pauses that have ended, else empty.
    ``stage`` is the last reminder, of the period that ends on ``stage_due``; ``digest_at`` says
    when staff were written to about it. ``backfilled`` marks a case from before there were clocks.
    """

    request = models.OneToOneField(
        ErasureRequest, models.CASCADE, primary_key=True, related_name="clock"
    )
    received_at = models.DateTimeField()
    received_on = models.DateField()
    zone = models.CharField(max_length=64)
    regime = models.CharField(max_length=16)
    rule = models.CharField(max_length=64)
    calendar = models.CharField(max_length=64)
    calendar_version = models.CharField(max_length=64)
    raw = models.DateField()
    due_on = models.DateField()
    skipped = models.JSONField(default=list, blank=True)
    extended_raw = models.DateField(null=True, blank=True)
    extended_due_on = models.DateField(null=True, blank=True)
    extended_skipped = models.JSONField(default=list, blank=True)
    acknowledge_on = models.DateField(null=True, blank=True)
    paused_due_on = models.DateField(null=True, blank=True)
    paused_extended_due_on = models.DateField(null=True, blank=True)
    backfilled = models.BooleanField(default=False)
    stage = models.CharField(max_length=16, blank=True)
    stage_due = models.DateField(null=True, blank=True)
    digest_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="an_answer_is_never_due_before_the_limit_that_was_counted",
                condition=Q(due_on__gte=F("raw")),
            ),
        ]

    def __str__(self) -> str:
        return f"clock of {self.request}"


class ClockPause(models.Model):
    """An interval in which the clock of a case stood still; open while ``until`` is empty."""

    request = models.ForeignKey(ErasureRequest, models.CASCADE, related_name="clock_pauses")
    reason = models.CharField(max_length=16)
    since = models.DateTimeField()
    until = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["request"],
                condition=Q(until=None),
                name="a_clock_is_paused_once_at_a_time",
            ),
            models.CheckConstraint(
                name="a_pause_ends_after_it_began",
                condition=Q(until=None) | Q(until__gte=F("since")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.reason} pause of {self.request}"


class ExtensionDecision(models.Model):
    """That an answer takes longer, and why: once in a case, and void until the person was told."""

    class Reason(models.TextChoices):
        """What Art. 12(3) lets a controller extend for."""

        COMPLEXITY = "COMPLEXITY", "The request is complex"
        NUMBER = "NUMBER", "There are many requests"

    request = models.OneToOneField(
        ErasureRequest, models.CASCADE, primary_key=True, related_name="extension"
    )
    reason_code = models.CharField(max_length=16, choices=Reason)
    reason_text = models.TextField()
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    decided_at = models.DateTimeField()
    new_due = models.DateField()
    notice_sent_at = models.DateTimeField(null=True, blank=True)
    lapsed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="an_extension_is_told_of_or_lapses",
                condition=Q(notice_sent_at=None) | Q(lapsed_at=None),
            ),
        ]

    def __str__(self) -> str:
        return f"extension of {self.request}"
