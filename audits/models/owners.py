"""Who owns which model, what may be computed for them, and which cases wait for that."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models

from audits.core.budgets import Limits
from audits.models.requests import ErasureRequest


class ModelOwner(models.Model):
    """A team that owns models, with its budget; the name is that of a team, never of a person.

    ``seconds``: that unlearning for its models may take in 30 days; ``runs``: that may begin in a
    day; None is no limit. ``lead_days``: see ``audits/core/budgets.py``.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=100, unique=True)
    seconds = models.FloatField(null=True, blank=True)
    runs = models.PositiveIntegerField(null=True, blank=True)
    lead_days = models.PositiveIntegerField(default=7)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="a_budget_of_seconds_is_not_negative",
                condition=models.Q(seconds=None) | models.Q(seconds__gte=0),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def limits(self) -> Limits:
        """The budget as ``audits/core/budgets.py`` takes it."""
        return Limits(seconds=self.seconds, runs=self.runs, lead_days=self.lead_days)


class OwnedModel(models.Model):
    """Whose a model is, all its versions with it. A model without a row has no owner."""

    model_name = models.CharField(max_length=200, primary_key=True)
    owner = models.ForeignKey(ModelOwner, models.PROTECT, related_name="models")

    def __str__(self) -> str:
        return f"{self.model_name} of {self.owner}"


class BudgetWait(models.Model):
    """That dear work of a case waits, or waited, for the budget of an owner.

    * WAITING -> FREE, when there is room again, or the case stops, ends or needs nothing more of
      this owner; -> DUE, when the due date is too near to wait;
      -> LIFTED, by a person, with a reason, for all that the case still needs of this owner;
    * FREE | DUE -> WAITING, when the budget is reached again.
    """

    class State(models.TextChoices):
        """How the wait stands."""

        WAITING = "WAITING", "Waits for the budget"
        FREE = "FREE", "There is room again"
        DUE = "DUE", "Goes on regardless, as the answer is due"
        LIFTED = "LIFTED", "Lifted for the case"

    class Code(models.TextChoices):
        """Which limit was reached."""

        SECONDS = "SECONDS", "Compute seconds in 30 days"
        RUNS = "RUNS", "Runs in a day"

    request = models.ForeignKey(ErasureRequest, models.CASCADE, related_name="budget_waits")
    owner = models.ForeignKey(ModelOwner, models.PROTECT, related_name="waits")
    code = models.CharField(max_length=16, choices=Code)
    state = models.CharField(max_length=16, choices=State, default=State.WAITING)
    since = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    reason = models.CharField(max_length=500, blank=True)
    lifted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["request", "owner"], name="a_case_waits_once_for_an_owner"
            ),
            models.CheckConstraint(
                name="a_budget_is_lifted_for_a_reason",
                condition=~models.Q(state="LIFTED") | ~models.Q(reason=""),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.request} waits for {self.owner}"
