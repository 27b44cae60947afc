"""What an operator's own case has beside the case: a reason, a forget set, and who chose it."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from audits.models.requests import ErasureRequest
from lineage.models import ModelVersion, OrdinalSpace


class OperatorCase(models.Model):
    """A case that no data subject asked for. Services: ``audits/services/operator_cases.py``.

    ``seeds`` and ``chosen`` are bitmaps of ordinals: the records that were named, and those that
    are to leave the training; a hard purge takes its records out of both, and ``gone_seeds``
    counts those that were named. ``finding`` says how the records were scored, ``note`` in a
    sentence why nothing beside the seeds was proposed. Whoever opened the case or chose a record
    is one of the ``authors``, none of whom may approve it.
    """

    class Reason(models.TextChoices):
        """Why records should leave the training."""

        POISONED = "POISONED", "Poisoned records"
        MISLABELLED = "MISLABELLED", "Mislabelled records"
        EXPIRED_CONSENT = "EXPIRED_CONSENT", "Consent has expired"

    class Disposal(models.TextChoices):
        """What becomes of the records themselves."""

        KEEP = "KEEP", "Keep them apart, out of every training"
        DELETE = "DELETE", "Delete them"

    request = models.OneToOneField(
        ErasureRequest, models.CASCADE, primary_key=True, related_name="operator_case"
    )
    reason = models.CharField(max_length=16, choices=Reason)
    disposal = models.CharField(max_length=8, choices=Disposal, default=Disposal.KEEP)
    space = models.ForeignKey(OrdinalSpace, models.PROTECT, related_name="+")
    version = models.ForeignKey(
        ModelVersion, models.PROTECT, null=True, blank=True, related_name="+"
    )
    seeds = models.BinaryField()
    chosen = models.BinaryField()
    gone_seeds = models.PositiveIntegerField(default=0)
    finding = models.JSONField(default=dict, blank=True)
    note = models.TextField(blank=True)
    authors = models.ManyToManyField(settings.AUTH_USER_MODEL, related_name="+")
    proposed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="whoever_proposed_a_forget_set_does_not_approve_it",
                condition=Q(proposed_by=None)
                | Q(approved_by=None)
                | ~Q(approved_by=F("proposed_by")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_reason_display()} in {self.space}"


class ScoredRecord(models.Model):
    """How far a record supports what the seeds teach, and the seeds' cluster it lies in or 0."""

    case = models.ForeignKey(OperatorCase, models.CASCADE, related_name="scored")
    ordinal = models.BigIntegerField()
    score = models.FloatField()
    cluster = models.IntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["case", "ordinal"], name="a_record_is_scored_once_per_case"
            ),
        ]

    def __str__(self) -> str:
        return f"record {self.ordinal}"
