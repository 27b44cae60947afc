"""The pictures of a sealed case, as the report shows them."""

from __future__ import annotations

from django.db import models

from audits.models.requests import ErasureRequest
from lineage.models import Artefact


class CasePictures(models.Model):
    """The stored pictures that are drawn from the record of a case, for its page.

    A picture is empty where the record had nothing to draw. They hold no more than the record.
    """

    request = models.OneToOneField(
        ErasureRequest, models.CASCADE, primary_key=True, related_name="pictures"
    )
    provenance = models.ForeignKey(
        Artefact, models.PROTECT, null=True, blank=True, related_name="+"
    )
    timeline = models.ForeignKey(Artefact, models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        verbose_name_plural = "case pictures"

    def __str__(self) -> str:
        return f"pictures of {self.request}"
