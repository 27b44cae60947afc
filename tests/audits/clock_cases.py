"""What tests of the legal clock begin with: a confirmed case, and somebody who handles it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from django.contrib.auth.models import User

from audits.services import asking, log, requests
from audits.services.rights import give_role, make_roles
from tests.audits.world import ADA

if TYPE_CHECKING:
    from audits.models import ErasureRequest

# Received on Saturday 31 January 2026; due on 28 February, a Saturday, and so on 2 March.
RECEIVED = datetime(2026, 1, 31, 12, tzinfo=UTC)
REASON = "Your data is in eleven models that are trained again one after the other."


def at(day: str, hour: int = 12) -> datetime:
    """Return an hour of a day of 2026, such as 02-28."""
    return datetime.fromisoformat(f"2026-{day}T{hour:02}:00:00+00:00")


def member(role: str = "Case officer", email: str = "") -> User:
    """Return somebody of the staff with a role."""
    make_roles()
    user = User.objects.create_user(role, email=email, is_staff=True)
    give_role(user=user, role=role)
    return User.objects.get(pk=user.pk)  # permissions are cached on the object


def waiting(email: str = ADA, received: datetime = RECEIVED) -> ErasureRequest:
    """Return a case that its person has confirmed and that waits for a decision."""
    made = requests.receive_request(email=email, channel="FORM", now=received).request
    type(made).objects.filter(pk=made.pk).update(status="VERIFIED", verified_at=received)
    made.refresh_from_db()
    return made


def asked(case: ErasureRequest, now: datetime = RECEIVED) -> ErasureRequest:
    """Return the case while it waits for its person to say more."""
    asking.ask(case, "CLAIMS_DIFFER", log.SYSTEM, now)
    case.refresh_from_db()
    return case
