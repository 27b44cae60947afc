"""What would be done if somebody asked today: asked by staff, answered by a job, soon deleted."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models

from lineage.models import ModelVersion


class PlanPreview(models.Model):
    """One question of a member of staff about one version, and what the planner said.

    No identifier of a person is kept. ``forget`` holds the records that were asked about, by the
    key of their space, as bitmaps in base64; it is emptied when the answer is written. The row is
    deleted half an hour after it was made (``audits/services/plan_previews.py``).
    """

    class By(models.TextChoices):
        """How the records were named."""

        PERSON = "PERSON", "A person"
        RECORDS = "RECORDS", "Certain records"
        NUMBER = "NUMBER", "A number of records"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    version = models.ForeignKey(ModelVersion, models.CASCADE, related_name="+")
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    by = models.CharField(max_length=8, choices=By)
    records = models.BigIntegerField()
    forget = models.JSONField(default=dict, blank=True)
    result = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(db_index=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"preview for {self.version}"
