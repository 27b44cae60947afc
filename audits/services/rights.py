"""Ask whether a member of staff may act, before anything is written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib.auth.models import Group, Permission
from django.core.exceptions import PermissionDenied
from django.db import transaction

from audits.core.roles import ROLES, refusal

if TYPE_CHECKING:
    from django.contrib.auth.models import User

    from audits.core.roles import Right


class NotAllowed(PermissionDenied):
    """The member of staff lacks a right; the sentence says which, and who has it."""


def has_right(user: User, *rights: Right) -> bool:
    """Return whether an active member of staff holds one of the rights; a superuser holds all."""
    at_work = user.is_active and user.is_staff
    return at_work and any(user.has_perm(f"audits.{right}") for right in rights)


def require(user: User, *rights: Right) -> None:
    """Refuse whoever holds none of the rights.

    Raises:
        NotAllowed: nothing was changed.
    """
    if not has_right(user, *rights):
        raise NotAllowed(refusal(*rights))


@transaction.atomic
def give_role(*, user: User, role: str) -> None:
    """Add a member of staff to a role.

    Raises:
        ValueError: there is no such role.
    """
    if role not in ROLES:
        raise ValueError(f"role is {role!r}; allowed are {', '.join(ROLES)}.")
    user.groups.add(Group.objects.get(name=role))


@transaction.atomic
def make_roles() -> None:
    """Make the groups and give each exactly the rights of its role; again, it changes nothing."""
    for role, rights in ROLES.items():
        group, _ = Group.objects.get_or_create(name=role)
        held = Permission.objects.filter(content_type__app_label="audits", codename__in=rights)
        group.permissions.set(held)
