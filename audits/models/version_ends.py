"""Versions that stay by exception, and versions that are claimed to be anonymous."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from audits.models.evidence import Evidence
from audits.models.requests import ErasureRequest
from lineage.models import ModelVersion


class VersionException(models.Model):
    """That an affected version of a case stays as it is, for a reason of Art. 17(3), until a day.

    It counts from the moment at which somebody else approved it.
    """

    class Code(models.TextChoices):
        """What Art. 17(3) lets a controller keep data for."""

        EXPRESSION = "ART_17_3_A", "Freedom of expression and information (17(3)(a))"
        LEGAL_TASK = "ART_17_3_B", "Legal obligation or public task (17(3)(b))"
        HEALTH = "ART_17_3_C", "Public interest in public health (17(3)(c))"
        RESEARCH = "ART_17_3_D", "Archiving, research or statistics (17(3)(d))"
        CLAIMS = "ART_17_3_E", "Legal claims (17(3)(e))"

    request = models.ForeignKey(ErasureRequest, models.CASCADE, related_name="version_exceptions")
    version = models.ForeignKey(ModelVersion, models.PROTECT, related_name="exceptions")
    code = models.CharField(max_length=16, choices=Code)
    reason = models.TextField()
    until = models.DateField()
    proposed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    proposed_at = models.DateTimeField()
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    approved_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["request", "version"], name="a_version_is_excepted_once_in_a_case"
            ),
            models.CheckConstraint(
                name="nobody_approves_their_own_exception",
                condition=Q(approved_by=None)
                | Q(proposed_by=None)
                | ~Q(approved_by=F("proposed_by")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.version} excepted in {self.request}"


class AnonymityClaim(models.Model):
    """That a version is claimed to be anonymous, and on what; without a row it is not claimed.

    ``reasons`` says, for each family of attacks without evidence, why none is needed.
    """

    version = models.OneToOneField(
        ModelVersion, models.PROTECT, primary_key=True, related_name="anonymity"
    )
    evidence = models.ManyToManyField(Evidence, blank=True, related_name="+")
    reasons = models.JSONField(default=dict, blank=True)
    claimed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    claimed_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.version} is claimed to be anonymous"
