"""Policy values that are stored: a change, who proposed it and who decided.

Triggers forbid to alter what was proposed, and a row that is decided.
"""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import F, Q


class PolicyChange(models.Model):
    """A change of policy values. Services: ``audits/services/policy_changes.py``.

    ``changes`` has the new value of each key, or null for what goes back to the environment's.
    ``stored`` has every stored value as it is once the change is in force, and ``digest`` is its
    SHA-256. An approved change has a ``version``, which is in force from ``decided_at`` until the
    next one; ``based_on`` is the version before it, 0 for none.
    """

    class State(models.TextChoices):
        """Where it stands."""

        PROPOSED = "PROPOSED", "Waits for a second person"
        APPROVED = "APPROVED", "Approved"
        RETURNED = "RETURNED", "Sent back"
        WITHDRAWN = "WITHDRAWN", "Withdrawn"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    number = models.PositiveIntegerField(unique=True)
    state = models.CharField(max_length=16, choices=State, default=State.PROPOSED)
    version = models.PositiveIntegerField(null=True, blank=True, unique=True)
    based_on = models.PositiveIntegerField(default=0)
    changes = models.JSONField()
    stored = models.JSONField()
    digest = models.CharField(max_length=64)
    reason = models.TextField()
    proposed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    proposed_at = models.DateTimeField()
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    decided_at = models.DateTimeField(null=True, blank=True)
    note = models.TextField("what has to change", blank=True)

    class Meta:
        ordering = ["-number"]
        constraints = [
            models.UniqueConstraint(
                fields=["state"],
                condition=Q(state="PROPOSED"),
                name="one_policy_change_waits_at_a_time",
            ),
            models.CheckConstraint(
                name="a_policy_change_is_approved_by_somebody_else",
                condition=~Q(state="APPROVED") | ~Q(decided_by=F("proposed_by")),
            ),
            models.CheckConstraint(
                name="a_version_of_the_policy_is_approved",
                condition=Q(state="APPROVED", version__isnull=False, decided_by__isnull=False)
                | (~Q(state="APPROVED") & Q(version__isnull=True)),
            ),
        ]

    def __str__(self) -> str:
        return f"policy change {self.number}"
