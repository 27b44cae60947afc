"""How a request came in, who it is from, and what was asked to be sure of that."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models

from audits.models.case_secrets import SealedList, SealedText
from audits.models.requests import ErasureRequest


class Intake(models.Model):
    """Beside a case that staff or another system entered: when, by whom, and how it is answered.

    Nothing here says who the person is; that is in ``PersonalDetails``. ``received_at`` of the
    case is the true receipt, from which the clock runs; ``entered_at`` is when it was stored.
    """

    class Source(models.TextChoices):
        """Who stored the request."""

        STAFF = "STAFF", "Entered by staff"
        API = "API", "Sent by another system"

    class AnswerBy(models.TextChoices):
        """How the person is answered (Art. 12(3))."""

        EMAIL = "EMAIL", "By e-mail"
        LETTER = "LETTER", "By letter"

    request = models.OneToOneField(
        ErasureRequest, models.CASCADE, primary_key=True, related_name="intake"
    )
    source = models.CharField(max_length=8, choices=Source)
    entered_at = models.DateTimeField()
    entered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    key_name = models.CharField(max_length=200, blank=True)
    # What makes a repeated call of the API find its case; not personal data.
    idempotency = models.CharField(max_length=64, null=True, unique=True)  # noqa: DJ001  (NULLs)
    content = models.CharField(max_length=64, blank=True)
    answer_by = models.CharField(max_length=8, choices=AnswerBy, default=AnswerBy.EMAIL)
    answer_by_asked = models.BooleanField(default=False)
    by_agent = models.BooleanField(default=False)
    mandate_seen = models.BooleanField(default=False)
    mandate_digest = models.CharField(max_length=64, blank=True)
    answer_to_agent = models.BooleanField(default=False)

    def __str__(self) -> str:
        return f"intake of {self.request}"


class PersonalDetails(models.Model):
    """What a case knows of a person beside the e-mail address: one row, deleted when answered.

    Sealed with the key of the case, as the address is.
    ``identifiers`` are [kind, value] as stated; they count once staff have checked identity.
    """

    request = models.OneToOneField(
        ErasureRequest, models.CASCADE, primary_key=True, related_name="details"
    )
    description = SealedText()
    model_name = SealedText()
    identifiers = SealedList()
    postal_address = SealedText()
    agent_name = SealedText()
    agent_contact = SealedText()

    def __str__(self) -> str:
        return f"details of {self.request}"


class IdentityCheck(models.Model):
    """One step in making sure who asks: more was asked for, or staff checked (Art. 12(6), 11(2)).

    Codes only. A document that was shown is never stored; that it was destroyed is recorded.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    request = models.ForeignKey(ErasureRequest, models.CASCADE, related_name="identity_checks")
    doubt = models.CharField(max_length=32, blank=True)
    asked_at = models.DateTimeField(null=True, blank=True)
    asked_from = models.CharField(max_length=16, blank=True)
    received_at = models.DateTimeField(null=True, blank=True)
    method = models.CharField(max_length=32, blank=True)
    level = models.CharField(max_length=16, blank=True)
    checked_at = models.DateTimeField(null=True, blank=True)
    checked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    proof_destroyed_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"identity check of {self.request}"


class ProcessingStop(models.Model):
    """The records of a case are restricted without, or before, an erasure (Art. 18, 21, 7(3)).

    ``stopped_at`` is empty until the request is confirmed. ``objection`` is set where Art. 21 was
    invoked; against direct marketing nothing is balanced. A restriction ends only after the person
    was told: ``notice_at`` comes before ``lifted_at``.
    """

    class Objection(models.TextChoices):
        """What is objected to."""

        NONE = "", "No objection"
        INTERESTS = "INTERESTS", "Processing for legitimate interests or a public task"
        MARKETING = "MARKETING", "Direct marketing"

    class Balance(models.TextChoices):
        """How the balance of Art. 21(1) was decided."""

        OPEN = "", "Not decided"
        UPHELD = "UPHELD", "Objection upheld"
        OVERRULED = "OVERRULED", "Compelling grounds override it"

    request = models.OneToOneField(
        ErasureRequest, models.CASCADE, primary_key=True, related_name="stop"
    )
    stopped_at = models.DateTimeField(null=True, blank=True)
    objection = models.CharField(max_length=16, choices=Objection, blank=True)
    balance = models.CharField(max_length=16, choices=Balance, blank=True)
    balance_text = models.TextField(blank=True)
    balanced_at = models.DateTimeField(null=True, blank=True)
    balanced_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    lift_reason = models.TextField(blank=True)
    lift_on = models.DateField(null=True, blank=True)
    notice_at = models.DateTimeField(null=True, blank=True)
    lifted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="a_restriction_is_lifted_after_notice",
                condition=models.Q(lifted_at=None) | models.Q(notice_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"stop of {self.request}"
