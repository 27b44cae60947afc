"""Whom to tell of an erasure: recipients (Art. 19), publications (Art. 17(2)), deployments."""

from __future__ import annotations

import uuid
from datetime import date

from django.conf import settings
from django.db import models
from django.db.models import Q

from audits.core.letter_rules import LOCALES
from audits.models.requests import ErasureRequest
from lineage.models import Dataset, Deployment, ModelVersion

LANGUAGES = list(LOCALES.items())


class Recipient(models.Model):
    """Somebody to whom data sets or model versions were disclosed.

    ``locale`` is the language in which they are written to; empty for ``EXPUNGE_LANGUAGE``.

    ``api_reader`` is the name of their API keys, so that what they fetched counts as received.
    """

    class Role(models.TextChoices):
        """In which capacity they received it."""

        RECIPIENT = "RECIPIENT", "Recipient"
        PROCESSOR = "PROCESSOR", "Processor"
        JOINT = "JOINT", "Joint controller"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=200)
    role = models.CharField(max_length=16, choices=Role, default=Role.RECIPIENT)
    contract_ref = models.CharField("contract", max_length=200, blank=True)
    contact = models.EmailField(blank=True)
    locale = models.CharField("language", max_length=8, choices=LANGUAGES, blank=True)
    datasets = models.ManyToManyField(Dataset, blank=True, related_name="recipients")
    versions = models.ManyToManyField(ModelVersion, blank=True, related_name="recipients")
    api_reader = models.CharField("name of their API keys", max_length=200, blank=True)
    since = models.DateField(default=date.today)
    active = models.BooleanField(default=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="a_processor_has_a_contract",
                condition=~Q(role="PROCESSOR") | ~Q(contract_ref=""),
                violation_error_message="Name the contract of a processor (Art. 28(3)).",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Publication(models.Model):
    """A place at which data sets or model versions were made public.

    ``steps``: the reasonable steps that are taken to inform others there, with available
    technology and the cost in mind.
    """

    class Where(models.TextChoices):
        """What kind of place it is."""

        HUB = "HUB", "Model hub"
        DATASET = "DATASET", "Release of a data set"
        WEB = "WEB", "Web page"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    where = models.CharField(max_length=16, choices=Where)
    address = models.CharField(max_length=500)
    contact = models.EmailField(blank=True)
    locale = models.CharField("language", max_length=8, choices=LANGUAGES, blank=True)
    steps = models.TextField()
    datasets = models.ManyToManyField(Dataset, blank=True, related_name="publications")
    versions = models.ManyToManyField(ModelVersion, blank=True, related_name="publications")
    since = models.DateField(default=date.today)
    active = models.BooleanField(default=True)

    def __str__(self) -> str:
        return self.address


class Notice(models.Model):
    """That one of them is told once of one case, or of a version destroyed outside a case.

    * DUE: to be sent; without an address staff tell them and say so;
    * SENT; FAILED: the mail server refused, it is tried again at ``next_at``;
    * ACKNOWLEDGED: by the link, over the API or, with ``decided_by``, as staff were told;
    * NOT_POSSIBLE: impossible or disproportionate, for the ``reason`` that staff gave.

    ``locale``, ``text_version`` and ``text`` are of what was sent: its language, the version of
    the text that it was written from (0 is the built-in one), and how it reads without its link.
    """

    class State(models.TextChoices):
        """How far it came."""

        DUE = "DUE", "To be sent"
        SENT = "SENT", "Sent, not acknowledged"
        FAILED = "FAILED", "Not sent, tried again"
        ACKNOWLEDGED = "ACKNOWLEDGED", "Acknowledged"
        NOT_POSSIBLE = "NOT_POSSIBLE", "Not possible"

    class Occasion(models.TextChoices):
        """What they are told of."""

        ERASED = "ERASED", "Erasure"
        RESTRICTED = "RESTRICTED", "Restriction"
        DESTROYED = "DESTROYED", "Destruction of a version"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    request = models.ForeignKey(
        ErasureRequest, models.CASCADE, null=True, blank=True, related_name="notices"
    )
    occasion = models.CharField(max_length=16, choices=Occasion)
    recipient = models.ForeignKey(
        Recipient, models.PROTECT, null=True, blank=True, related_name="notices"
    )
    publication = models.ForeignKey(
        Publication, models.PROTECT, null=True, blank=True, related_name="notices"
    )
    deployment = models.ForeignKey(
        Deployment, models.PROTECT, null=True, blank=True, related_name="notices"
    )
    versions = models.JSONField(default=list, blank=True)
    datasets = models.JSONField(default=list, blank=True)
    state = models.CharField(max_length=16, choices=State, default=State.DUE)
    created_at = models.DateTimeField()
    next_at = models.DateTimeField()
    attempts = models.PositiveIntegerField(default=0)
    error = models.CharField(max_length=300, blank=True)
    locale = models.CharField(max_length=8, blank=True)
    text_version = models.PositiveIntegerField(default=0)
    text = models.TextField(blank=True)
    digest = models.CharField(max_length=64, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)
    ack_at = models.DateTimeField(null=True, blank=True)
    reason = models.TextField(blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="a_notice_goes_to_exactly_one",
                condition=Q(recipient__isnull=False, publication=None, deployment=None)
                | Q(recipient=None, publication__isnull=False, deployment=None)
                | Q(recipient=None, publication=None, deployment__isnull=False),
            ),
            models.CheckConstraint(
                name="what_is_acknowledged_has_a_moment",
                condition=~Q(state="ACKNOWLEDGED") | Q(ack_at__isnull=False),
            ),
            models.CheckConstraint(
                name="what_is_not_possible_has_a_reason",
                condition=~Q(state="NOT_POSSIBLE") | ~Q(reason=""),
            ),
            *(
                models.UniqueConstraint(
                    fields=["request", "occasion", target],
                    name=f"a_{target}_is_told_once_of_a_case",
                )
                for target in ("recipient", "publication", "deployment")
            ),
        ]

    def __str__(self) -> str:
        return f"notice to {self.addressee}"

    @property
    def addressee(self) -> Recipient | Publication | Deployment:
        """Return who is told."""
        found = self.recipient or self.publication or self.deployment
        if found is None:
            raise ValueError(f"Notice {self.pk} goes to nobody.")
        return found

    @property
    def target(self) -> str:
        """Return which register the addressee stands in."""
        if self.recipient_id:
            return "RECIPIENT"
        return "PUBLICATION" if self.publication_id else "DEPLOYMENT"


class ToldWho(models.Model):
    """That the person of a case asked who received their data (Art. 19, last sentence)."""

    request = models.OneToOneField(
        ErasureRequest, models.CASCADE, primary_key=True, related_name="told_who"
    )
    asked_who_received = models.BooleanField(default=False)

    def __str__(self) -> str:
        return f"who received data of {self.request}"
