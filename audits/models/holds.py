"""Legal holds: what must not be erased while a claim or a proceeding lasts (Art. 17(3)(e))."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q

from lineage.models import Dataset


class LegalHold(models.Model):
    """One entry of the register: a person, by the keyed digest of an identifier, or a data set.

    Services: ``audits/services/holds.py``. The identifier itself is not stored.
    """

    class Kind(models.TextChoices):
        """What is held."""

        EMAIL = "EMAIL", "The person with an e-mail address"
        EXTERNAL = "EXTERNAL", "The person with an identifier of the source"
        DATASET = "DATASET", "A data set"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=8, choices=Kind)
    digest = models.CharField(max_length=64, blank=True, db_index=True)
    dataset = models.ForeignKey(Dataset, models.PROTECT, null=True, blank=True, related_name="+")
    basis = models.TextField()
    review_on = models.DateField()
    placed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+"
    )
    placed_at = models.DateTimeField()
    released_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    released_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="a_hold_is_on_a_person_or_a_data_set",
                condition=Q(kind="DATASET", digest="", dataset__isnull=False)
                | (Q(kind__in=["EMAIL", "EXTERNAL"], dataset=None) & ~Q(digest="")),
            ),
        ]

    def __str__(self) -> str:
        return f"Hold {str(self.pk)[:8]}"
