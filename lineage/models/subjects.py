"""The people whose data is held, known here only by a random pseudonym."""

from __future__ import annotations

import uuid

from django.db import models


class DataSubject(models.Model):
    """A person, named outside the database by a pseudonym; their key lives in the key store."""

    id = models.BigAutoField(primary_key=True)
    pseudonym = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    created_at = models.DateTimeField()
    erased_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"subject {str(self.pseudonym)[:8]}"


class SubjectIdentifier(models.Model):
    """Finds a subject: an HMAC of a normalised identifier, deleted when the subject is erased."""

    class Kind(models.TextChoices):
        """What was hashed."""

        EMAIL = "EMAIL", "E-mail address"
        EXTERNAL = "EXTERNAL", "Identifier in the source system"

    subject = models.ForeignKey(DataSubject, models.CASCADE, related_name="identifiers")
    kind = models.CharField(max_length=16, choices=Kind)
    digest = models.CharField(max_length=64)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "digest"], name="an_identifier_belongs_to_one_subject"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} of {self.subject}"
