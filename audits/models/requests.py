"""The erasure request and what belongs to its case file."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from audits.core.grounds import RESTRICTIONS
from audits.core.roles import WORDS
from audits.models.case_secrets import SealedText
from lineage.models import DataSubject, OrdinalSpace
from unlearning.models import UnlearningRun


class ErasureRequest(models.Model):
    """One case: a person's request, or the operator's own (``OperatorCase`` beside it).

    What a person asks for is its ``kind``; in which language they are written to, ``locale``.

    The state machine stands in ``audits/services/transitions.py``. An operator's case has no
    statutory deadline, and so no ``due_on``.
    """

    class Kind(models.TextChoices):
        """What is asked for. The last is no request: the operator started the case."""

        ERASURE = "ERASURE", "Erasure (Art. 17)"
        CONSENT = "CONSENT", "Withdrawal of consent (Art. 7(3))"
        OBJECTION = "OBJECTION", "Objection (Art. 21)"
        RESTRICTION = "RESTRICTION", "Restriction (Art. 18)"
        SEEN_IN_OUTPUT = "SEEN_IN_OUTPUT", "Own data seen in an output"
        OPERATOR = "OPERATOR", "Started by the operator"

    class Status(models.TextChoices):
        """Life of a case."""

        RECEIVED = "RECEIVED", "Received"
        VERIFIED = "VERIFIED", "Identity confirmed"
        ACCEPTED = "ACCEPTED", "Accepted"
        RESTRICTED = "RESTRICTED", "Data restricted"
        PLANNED = "PLANNED", "Planned"
        UNLEARNING = "UNLEARNING", "Unlearning"
        AUDITING = "AUDITING", "Auditing"
        ERASED = "ERASED", "Erased"
        SEALED = "SEALED", "Sealed"
        REFUSED = "REFUSED", "Refused"
        WITHDRAWN = "WITHDRAWN", "Withdrawn"
        ON_HOLD = "ON_HOLD", "On hold"
        FAILED = "FAILED", "Needs attention"
        DRAFT = "DRAFT", "Forget set being chosen"
        PROPOSED = "PROPOSED", "Waiting for approval"
        APPROVED = "APPROVED", "Approved"
        INFO_ASKED = "INFO_ASKED", "Waiting for the person"
        EXPIRED = "EXPIRED", "Not confirmed in time"

    class Outcome(models.TextChoices):
        """How the case closed."""

        OPEN = "", "Open"
        ERASED = "ERASED", "Erased"
        NO_DATA_FOUND = "NO_DATA_FOUND", "No data found"
        REFUSED = "REFUSED", "Refused"
        WITHDRAWN = "WITHDRAWN", "Withdrawn"
        JOINED = "JOINED", "Joined to an earlier case"
        REMOVED = "REMOVED", "Removed from training"
        EXPIRED = "EXPIRED", "Not confirmed in time"
        NOT_IDENTIFIED = "NOT_IDENTIFIED", "Person not identified"
        RESTRICTION_LIFTED = "RESTRICTION_LIFTED", "Restriction ended"
        RESTRICTION_ERASED = "RESTRICTION_ERASED", "Restricted data erased"

    class Ground(models.TextChoices):
        """GDPR Art. 17(1) grounds."""

        UNKNOWN = "", "Not yet recorded"
        NO_LONGER_NECESSARY = "ART_17_1_A", "No longer necessary (17(1)(a))"
        CONSENT_WITHDRAWN = "ART_17_1_B", "Consent withdrawn (17(1)(b))"
        OBJECTION = "ART_17_1_C", "Objection (17(1)(c))"
        UNLAWFUL = "ART_17_1_D", "Unlawful processing (17(1)(d))"
        LEGAL_OBLIGATION = "ART_17_1_E", "Legal obligation (17(1)(e))"
        CHILD = "ART_17_1_F", "Information society service to a child (17(1)(f))"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    reference = models.CharField(max_length=16, unique=True)
    kind = models.CharField(max_length=16, choices=Kind, default=Kind.ERASURE)
    locale = models.CharField(max_length=8, default="en")
    status = models.CharField(max_length=16, choices=Status, default=Status.RECEIVED)
    held_from = models.CharField(max_length=16, blank=True)
    outcome = models.CharField(max_length=32, choices=Outcome, default=Outcome.OPEN, blank=True)
    channel = models.CharField(max_length=16, default="FORM")
    email = SealedText()
    subject = models.ForeignKey(
        DataSubject, models.SET_NULL, null=True, blank=True, related_name="requests"
    )
    joined_to = models.ForeignKey("self", models.PROTECT, null=True, blank=True)
    linked_to = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="linked_cases"
    )
    ground = models.CharField(max_length=16, choices=Ground, default=Ground.UNKNOWN, blank=True)
    refusal_code = models.CharField(max_length=64, blank=True)
    confirm_digest = models.CharField(max_length=64, blank=True)
    status_digest = models.CharField(max_length=64, unique=True)
    received_at = models.DateTimeField()
    due_on = models.DateField(null=True, blank=True)
    due_rule = models.CharField(max_length=64)
    verified_at = models.DateTimeField(null=True, blank=True)
    accepted_at = models.DateTimeField(null=True, blank=True)
    accepted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    erased_at = models.DateTimeField(null=True, blank=True)
    sealed_at = models.DateTimeField(null=True, blank=True)
    failure_code = models.CharField(max_length=64, blank=True)
    failure = models.TextField(blank=True)
    failed_from = models.CharField(max_length=16, blank=True)
    policy = models.JSONField(default=dict, blank=True)
    plan = models.JSONField(default=dict, blank=True)
    plan_digest = models.CharField(max_length=64, blank=True)
    batch = models.UUIDField(null=True, blank=True, db_index=True)
    runs = models.ManyToManyField(UnlearningRun, related_name="requests", blank=True)

    # Set by ``audits/queries/whole_case.py``: all that belongs to it came with it, for one page.
    loaded_whole = False
    waited_for = False  # whether somebody waits for the answer; read with a whole case
    met_a_budget = False  # whether the budget of an owner ever kept it; read with a whole case

    class Meta:
        indexes = [
            models.Index(fields=["status"], name="request_status"),
            models.Index(fields=["due_on", "received_at"], name="request_due"),
        ]
        permissions = [(str(right), f"May {words}") for right, words in WORDS.items()]

    def __str__(self) -> str:
        return self.reference

    @property
    def ground_words(self) -> str:
        """The ground in words: of Art. 17(1), or of Art. 18(1)."""
        return RESTRICTIONS.get(self.ground) or self.get_ground_display()


class DuplicateFinding(models.Model):
    """A kept record equal or close to one of the forget set, to be decided by staff.

    In an operator's case ``proposed_by`` wants it out, too, and somebody else decides.
    Once the case is sealed negative numbers stand for both records: which they were is forgotten.
    """

    class Kind(models.TextChoices):
        """How alike the two are."""

        EXACT = "EXACT", "Same content"
        NEAR = "NEAR", "Nearly the same content"

    class Decision(models.TextChoices):
        """What staff decided."""

        PENDING = "", "To be decided"
        KEEP = "KEEP", "Keep"
        ERASE = "ERASE", "Erase too"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    request = models.ForeignKey(ErasureRequest, models.CASCADE, related_name="duplicates")
    space = models.ForeignKey(OrdinalSpace, models.PROTECT, related_name="+")
    forget_ordinal = models.BigIntegerField()
    other_ordinal = models.BigIntegerField()
    kind = models.CharField(max_length=8, choices=Kind)
    distance = models.FloatField()
    decision = models.CharField(
        max_length=8, choices=Decision, default=Decision.PENDING, blank=True
    )
    proposed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="two_take_a_duplicate_out_of_an_operators_case",
                condition=~Q(decision="ERASE")
                | Q(proposed_by=None)
                | Q(decided_by=None)
                | ~Q(decided_by=F("proposed_by")),
            ),
            models.UniqueConstraint(
                fields=["request", "space", "forget_ordinal", "other_ordinal"],
                name="a_duplicate_is_found_once_per_case",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} duplicate in {self.request}"


class OwedToOthers(models.Model):
    """Somebody whose record went in another's case, and a run that settled within a bound.

    What the run left holds something of this person, too, so that it counts in what is accepted
    once they ask to be erased. It names no record.
    """

    subject = models.ForeignKey(DataSubject, models.CASCADE, related_name="+")
    run = models.ForeignKey(UnlearningRun, models.CASCADE, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["subject", "run"], name="a_run_owes_something_to_a_person_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.run} owes something to {self.subject}"
