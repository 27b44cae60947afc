"""What became of a person's data at each registered place."""

from __future__ import annotations

from django.db import models

from audits.models.requests import ErasureRequest
from lineage.models import Location


class LocationResult(models.Model):
    """One place in one case. Services: ``audits/services/places.py``.

    ``found`` is the most that a search found before something was erased, ``remaining`` what the
    last reading back found. A blank result is one that is being worked at. ``reason`` is a
    sentence or a code and names nobody.
    """

    class Result(models.TextChoices):
        """What became of it. Masked rows are there still: they are never called erased."""

        OPEN = "", "At work"
        DELETED = "DELETED", "Deleted and read back"
        MASKED = "MASKED", "Masked: rows remain without the person"
        RESTRICTED = "RESTRICTED", "Kept by decision, restricted"
        NONE_FOUND = "NONE_FOUND", "Searched, nothing found"
        REMAINS = "REMAINS", "Something remains"
        NOT_REACHABLE = "NOT_REACHABLE", "Not reachable"

    case = models.ForeignKey(ErasureRequest, models.CASCADE, related_name="location_results")
    location = models.ForeignKey(Location, models.PROTECT, related_name="+")
    result = models.CharField(max_length=16, choices=Result, default=Result.OPEN, blank=True)
    found = models.PositiveIntegerField(default=0)
    remaining = models.PositiveIntegerField(default=0)
    erased_at = models.DateTimeField(null=True, blank=True)
    verified_at = models.DateTimeField(null=True, blank=True)
    reason = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["location__slug"]
        constraints = [
            models.UniqueConstraint(
                fields=["case", "location"], name="a_case_has_one_result_per_location"
            ),
            models.CheckConstraint(
                name="what_is_deleted_was_read_back_as_gone",
                condition=~models.Q(result="DELETED")
                | models.Q(remaining=0, verified_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.location}: {self.result}"
