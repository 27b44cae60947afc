"""What a supplier says of a model that was not trained here."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models

from lineage.models import Artefact, ModelVersion


class SupplierEvidence(models.Model):
    """A document of a supplier about a version that was bought or downloaded.

    Nothing of it is checked here: ``statement`` is what the document says, as somebody read it.
    """

    class Kind(models.TextChoices):
        """What the document is."""

        MODEL_CARD = "MODEL_CARD", "Model card"
        DATA_SUMMARY = "DATA_SUMMARY", "Summary of the training data"
        TEST_REPORT = "TEST_REPORT", "Report of privacy tests"
        ERASURE_RECORD = "ERASURE_RECORD", "Record of an erasure or unlearning"
        CONTRACT = "CONTRACT", "Clause of a contract"
        DECLARATION = "DECLARATION", "Declaration"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    version = models.ForeignKey(ModelVersion, models.PROTECT, related_name="supplier_evidence")
    kind = models.CharField(max_length=16, choices=Kind)
    supplier = models.CharField(max_length=200)
    dated = models.DateField()
    statement = models.TextField()
    file = models.ForeignKey(Artefact, models.PROTECT, related_name="+")
    added_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    added_at = models.DateTimeField()

    class Meta:
        ordering = ["dated", "added_at"]
        constraints = [
            models.CheckConstraint(
                name="a_supplier_has_a_name_and_says_something",
                condition=~models.Q(supplier="") & ~models.Q(statement=""),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} of {self.supplier}, {self.dated}"
