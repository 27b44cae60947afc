"""What administrators do about the policy values that are stored."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction
from django.utils import timezone

from audits.execution.rules_in_force import rules_in_force
from audits.services import policy_changes, rules

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.contrib.auth.models import User

    from audits.models import PolicyChange


def propose_policy(
    *, said: Mapping[str, str | None], reason: str, user: User, based_on: int | None = None
) -> PolicyChange:
    """Propose new values; None gives a key back to the environment."""
    return policy_changes.propose(
        said=said, reason=reason, user=user, based_on=based_on, now=timezone.now()
    )


def approve_policy(*, number: int, user: User) -> PolicyChange:
    """Approve a change, and keep the new version of the rules from the same moment on."""
    now = timezone.now()
    with transaction.atomic():
        change = policy_changes.approve(number=number, user=user, now=now)
        rules.note_rules(rules=rules_in_force, now=now)
    return change


def return_policy(*, number: int, note: str, user: User) -> PolicyChange:
    """Send a change back to whoever proposed it."""
    return policy_changes.send_back(number=number, note=note, user=user, now=timezone.now())


def withdraw_policy(*, number: int, user: User) -> PolicyChange:
    """Take one's own proposal back."""
    return policy_changes.withdraw(number=number, user=user, now=timezone.now())
