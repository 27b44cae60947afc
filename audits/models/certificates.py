"""What audits on surrogates showed of a procedure, kept for the next requests. Append-only."""

from __future__ import annotations

import uuid

from django.db import models

from audits.core.certificate import Certificate, Procedure
from audits.models.evidence import Evidence


class ProcedureCertificate(models.Model):
    """Aggregates of one audit that passed on other people's records; it names no record.

    ``fields`` are those of ``audits.core.certificate.Procedure``, ``attempt`` counts the pools of
    shadow models that were trained for the same key, this one included. ``profile`` is null in
    those that an earlier release issued.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    key = models.CharField(max_length=64, db_index=True)
    fields = models.JSONField()
    difficulty = models.SmallIntegerField()
    profile = models.JSONField(null=True, blank=True)
    outcome = models.CharField(max_length=32)
    kept = models.JSONField()
    policy = models.JSONField()
    evidence = models.OneToOneField(Evidence, models.PROTECT, related_name="certificate")
    evidence_digest = models.CharField(max_length=64)
    attempt = models.IntegerField(default=1)
    digest = models.CharField(max_length=64)
    issued_at = models.DateTimeField()
    expires_at = models.DateTimeField()

    def __str__(self) -> str:
        return str(self.pk)[:8]

    def stated(self) -> Certificate:
        """Return what it says of itself, to be held against a procedure."""
        return Certificate(
            name=str(self),
            procedure=Procedure.from_dict(self.fields),
            outcome=self.outcome,
            difficulty=self.difficulty,
            profile=None if self.profile is None else tuple(self.profile),
            kept=self.kept,
            policy=self.policy,
            evidence=self.evidence_digest,
            issued_at=self.issued_at,
            expires_at=self.expires_at,
        )
