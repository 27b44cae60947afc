"""Cases of every kind, as people and staff bring them in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib.auth.models import User

from audits import workflow
from audits.models import Decision, ErasureRequest
from audits.services import requests
from audits.services.rights import give_role, make_roles
from lineage.models import OrdinalSpace
from lineage.queries.availability import restricted_ordinals
from tests.audits.world import ADA, NOW

if TYPE_CHECKING:
    from audits.services.requests import Received, Told

BALANCE = "We must keep the fraud model working for everybody."


def member(role: str) -> User:
    make_roles()
    user, _ = User.objects.get_or_create(username=role, defaults={"is_staff": True})
    give_role(user=user, role=role)
    return User.objects.get(pk=user.pk)  # permissions are cached on the object


def received(
    kind: str, email: str = ADA, *, marketing: bool = False, told: Told | None = None
) -> Received:
    wish = requests.Wish(kind=kind, marketing=marketing)
    return requests.receive_request(email=email, channel="FORM", now=NOW, wish=wish, told=told)


def confirmed(
    kind: str, email: str = ADA, *, marketing: bool = False, told: Told | None = None
) -> ErasureRequest:
    got = received(kind, email, marketing=marketing, told=told)
    return requests.confirm_request(token=got.confirm_token, now=NOW)


def restricted() -> int:
    """How many records no training may use."""
    return sum(len(restricted_ordinals(space)) for space in OrdinalSpace.objects.all())


def approved(decision: Decision) -> None:
    """Have a reviewer approve what an officer proposed."""
    workflow.approve_decision(decision=decision, user=member("Reviewer"))


def now_of(case: ErasureRequest) -> ErasureRequest:
    return ErasureRequest.objects.get(pk=case.pk)
