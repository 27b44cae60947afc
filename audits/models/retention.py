"""How long a closed case can say whose it was, and when that ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from audits.models.requests import ErasureRequest

if TYPE_CHECKING:
    from datetime import date


class CaseRetention(models.Model):
    """Beside every case that is over. Services: ``audits/services/retention.py``.

    ``until`` follows from the outcome and is set when the case closes; from that day on everything
    goes by which the person could be known, and the key of the case with it. ``longer_until`` is a
    later day that an administrator set, for a coded reason. ``person`` holds the keyed digests of
    the identifiers, sealed with the key of the case, so that a legal hold still finds the person
    after the address itself is forgotten.
    """

    class Longer(models.TextChoices):
        """Why a case is kept longer than its outcome says."""

        COMPLAINT = "COMPLAINT", "Complaint to a supervisory authority"
        COURT = "COURT", "Proceedings before a court"
        AUTHORITY = "AUTHORITY", "An authority asked for it"

    request = models.OneToOneField(
        ErasureRequest, models.CASCADE, primary_key=True, related_name="retention"
    )
    closed_on = models.DateField()
    days = models.PositiveIntegerField()
    until = models.DateField(db_index=True)
    longer_until = models.DateField(null=True, blank=True)
    longer_reason = models.CharField(max_length=16, choices=Longer, blank=True)
    longer_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    person = models.BinaryField(default=bytes)
    key_destroyed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="a_case_is_kept_longer_for_a_reason",
                condition=Q(longer_until=None, longer_reason="")
                | (Q(longer_until__gt=F("until")) & ~Q(longer_reason="")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.request} is kept until {self.ends_on}"

    @property
    def ends_on(self) -> date:
        """The day on which the identity goes."""
        return self.longer_until or self.until
