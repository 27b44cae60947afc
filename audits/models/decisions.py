"""What was decided about a request, on which grounds, with which exceptions, and by whom."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from audits.core.grounds import EXCEPTIONS, REFUSALS, RESTRICTIONS, UNFOUNDED
from audits.models.requests import ErasureRequest
from lineage.models import Dataset

EXCEPTED = list(EXCEPTIONS.items())


class Decision(models.Model):
    """A decision that one member of staff proposed. Services: ``audits/services/deciding.py``.

    Where one person is enough it is APPROVED at once, and ``approved_by`` stays empty.
    """

    class Kind(models.TextChoices):
        """What is decided."""

        ACCEPT = "ACCEPT", "Accept"
        REFUSE = "REFUSE", "Refuse"

    class State(models.TextChoices):
        """How far it is."""

        PROPOSED = "PROPOSED", "Waiting for a second person"
        APPROVED = "APPROVED", "Approved"
        RETURNED = "RETURNED", "Sent back"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    request = models.ForeignKey(ErasureRequest, models.CASCADE, related_name="decisions")
    kind = models.CharField(max_length=8, choices=Kind)
    state = models.CharField(max_length=8, choices=State, default=State.PROPOSED)
    refusal_code = models.CharField(max_length=16, choices=list(REFUSALS.items()), blank=True)
    assessment = models.TextField(blank=True)
    evidence = models.TextField(blank=True)
    legal_position_note = models.TextField(blank=True)
    proposed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+"
    )
    proposed_at = models.DateTimeField()
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    approved_at = models.DateTimeField(null=True, blank=True)
    returned_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    return_note = models.TextField(blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="whoever_proposed_a_decision_does_not_approve_it",
                condition=Q(proposed_by=None)
                | Q(approved_by=None)
                | ~Q(approved_by=F("proposed_by")),
            ),
            models.CheckConstraint(
                name="unfounded_is_said_with_evidence",
                condition=~Q(refusal_code=UNFOUNDED) | ~Q(evidence=""),
            ),
            models.UniqueConstraint(
                fields=["request"],
                condition=Q(state="PROPOSED"),
                name="a_case_has_one_proposal_at_a_time",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.request}"


class GroundFinding(models.Model):
    """A ground of Art. 17(1), found for one purpose."""

    decision = models.ForeignKey(Decision, models.CASCADE, related_name="grounds")
    code = models.CharField(max_length=16, choices=ErasureRequest.Ground)
    purpose = models.CharField(max_length=200)
    assessment = models.TextField()
    other_ground = models.TextField(blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["decision", "code", "purpose"], name="a_ground_is_found_once_per_purpose"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.code} for {self.purpose}"

    @property
    def words(self) -> str:
        """The ground in words: of Art. 17(1), or of Art. 18(1)."""
        return RESTRICTIONS.get(self.code) or self.get_code_display()


class LocationException(models.Model):
    """What is kept under Art. 17(3), restricted, until a day: of a data set, or at a place.

    The records of a data set are restricted under this row's own id, not the case's, and so are
    no part of what the case erases. ``reviewer`` is the second person. Once ended, what was kept
    is erased by ``followed_by``; of a place that is its own case, also where staff noted it.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    decision = models.ForeignKey(Decision, models.CASCADE, related_name="exceptions")
    dataset = models.ForeignKey(Dataset, models.PROTECT, null=True, blank=True, related_name="+")
    place = models.CharField(max_length=100, blank=True)
    code = models.CharField(max_length=16, choices=EXCEPTED)
    basis = models.TextField()
    scope = models.TextField()
    until = models.DateField()
    reviewer = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    ended_at = models.DateTimeField(null=True, blank=True)
    followed_by = models.ForeignKey(
        ErasureRequest, models.SET_NULL, null=True, blank=True, related_name="+"
    )

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="an_exception_names_a_data_set_or_a_place",
                condition=(Q(dataset=None) & ~Q(place="")) | (~Q(dataset=None) & Q(place="")),
            ),
            models.CheckConstraint(
                name="an_exception_is_one_of_the_law", condition=Q(code__in=list(EXCEPTIONS))
            ),
        ]

    def __str__(self) -> str:
        return f"{self.code} until {self.until}"

    @property
    def where(self) -> str:
        """What is kept: the name of the data set, or the place."""
        return self.dataset.name if self.dataset else self.place
