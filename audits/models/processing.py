"""The record of processing (Art. 30), as far as staff must say it, and the rules in force."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q

from lineage.models import Dataset, Location


class ProcessingActivity(models.Model):
    """What staff say of the processing of one data set or place, or, with neither, of requests.

    A change is a new row with the next number, which counts from then on; none is ever altered.
    What may be empty is a gap that the record of processing lists. Services:
    ``audits/services/processing.py``.
    """

    class Basis(models.TextChoices):
        """The basis of Art. 6(1)."""

        UNKNOWN = "", "Not said"
        CONSENT = "ART_6_1_A", "Consent (6(1)(a))"
        CONTRACT = "ART_6_1_B", "Contract (6(1)(b))"
        OBLIGATION = "ART_6_1_C", "Legal obligation (6(1)(c))"
        VITAL = "ART_6_1_D", "Vital interests (6(1)(d))"
        PUBLIC_TASK = "ART_6_1_E", "Public task (6(1)(e))"
        INTERESTS = "ART_6_1_F", "Legitimate interests (6(1)(f))"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    dataset = models.ForeignKey(
        Dataset, models.PROTECT, null=True, blank=True, related_name="processing"
    )
    location = models.ForeignKey(
        Location, models.CASCADE, null=True, blank=True, related_name="processing"
    )
    number = models.PositiveIntegerField()
    purposes = models.TextField(blank=True)
    basis = models.CharField(max_length=16, choices=Basis, default=Basis.UNKNOWN, blank=True)
    subjects = models.TextField("categories of data subjects", blank=True)
    data = models.TextField("categories of personal data", blank=True)
    recipients = models.TextField("categories of recipients", blank=True)
    transfers = models.TextField("transfers to third countries", blank=True)
    retention = models.TextField("time limits for erasure", blank=True)
    measures = models.TextField("security measures", blank=True)
    digest = models.CharField(max_length=64)
    described_at = models.DateTimeField()
    described_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="an_activity_is_of_one_thing",
                condition=Q(dataset=None) | Q(location=None),
            ),
            models.UniqueConstraint(
                fields=["number"],
                condition=Q(dataset=None, location=None),
                name="requests_are_described_once_under_a_number",
            ),
            *(
                models.UniqueConstraint(
                    fields=[of, "number"], name=f"a_{of}_is_described_once_under_a_number"
                )
                for of in ("dataset", "location")
            ),
        ]

    def __str__(self) -> str:
        return f"{self.dataset or self.location or 'requests'}, described {self.number}"


class RulesVersion(models.Model):
    """Rules that were in force from ``since`` until the next number of their kind."""

    class Kind(models.TextChoices):
        """Which rules."""

        POLICY = "POLICY", "Policy of evidence"
        METHOD = "METHOD", "Choice of methods"
        WORKFLOW = "WORKFLOW", "Workflow of a case"
        ROLES = "ROLES", "Roles and the second person"
        CLOCK = "CLOCK", "Legal clock"
        ATTACKS = "ATTACKS", "Attacks"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=16, choices=Kind)
    number = models.PositiveIntegerField()
    digest = models.CharField(max_length=64, db_index=True)
    content = models.JSONField()
    since = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "number"], name="rules_of_a_kind_have_a_number_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.number}"
