"""Which accounts of staff are one person's: those of one e-mail address."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib.auth.models import User

from audits.core.events import parse
from audits.core.roles import ROLES, Right
from audits.models import LogLeaf
from audits.queries.actors import staff_pseudonym
from lineage.core.identifiers import EMAIL, IdentifierNotUsable, normalise

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

# What lets an account administer that could not before, as the log names it.
ADMINISTER = frozenset(
    {"SUPERUSER", "STAFF", "ACTIVE"}
    | {role.upper().replace(" ", "_") for role, held in ROLES.items() if Right.ADMINISTER in held}
)


def accounts_of(user: User) -> set[int]:
    """Return the ids of all accounts of one person: that of ``user``, and any of its address."""
    address = address_of_account(user)
    addressed = User.objects.exclude(email="") if address else User.objects.none()
    return {user.pk, *(one.pk for one in addressed if address_of_account(one) == address)}


def address_of_account(user: User) -> str:
    """Return the address of an account as addresses are compared; empty where it has none."""
    try:
        return normalise(EMAIL, user.email)
    except IdentifierNotUsable:
        return ""


def colleague_at(address: str, *, besides: int | None = None) -> User | None:
    """Return the open account of staff that has an address, if another has it already."""
    wanted = address_of_account(User(email=address))
    open_ = User.objects.filter(is_staff=True, is_active=True).exclude(
        pk__in=[besides] if besides else []
    )
    return next((one for one in open_ if wanted and address_of_account(one) == wanted), None)


def made_administrator_since(user: User, moment: datetime) -> bool:
    """Return whether an account was let administer, or given a password by others, since a moment.

    By the log: a password that its owner set, or that was set at the shell, is not there.
    """
    changes = LogLeaf.objects.filter(type__in=("role_changed", "password_set"), at__gte=moment)
    said = [parse(bytes(leaf.data)) for leaf in changes]
    me = staff_pseudonym(user.pk) if said else ""
    return any(one.data["member"] == me and _hands_over(one.type, one.data, me) for one in said)


def _hands_over(event: str, data: Mapping[str, Any], member: str) -> bool:
    if event == "password_set":
        return bool(data["by"] != member)
    return data["result"] == "GIVEN" and data["role"] in ADMINISTER
