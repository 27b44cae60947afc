"""Ask whether a member of staff may act, before anything is written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib.auth.models import Group, Permission
from django.core.exceptions import PermissionDenied
from django.db import transaction

from audits.core.roles import ROLES, Right

if TYPE_CHECKING:
    from django.contrib.auth.models import User


class NotAllowed(PermissionDenied):
    """The member of staff lacks a right; the sentence says which, and who has it."""


def has_right(user: User, right: Right) -> bool:
    """Return whether an active member of staff holds a right; a superuser holds them all."""
    return user.is_active and user.is_staff and user.has_perm(f"audits.{right}")


def require(user: User, right: Right) -> None:
    """Refuse whoever lacks a right.

    Raises:
        NotAllowed: nothing was changed.
    """
    if not has_right(user, right):
        holders = ", ".join(role for role, rights in ROLES.items() if right in rights)
        raise NotAllowed(f"You may not {right.words}. That takes the role {holders}.")


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
    """Make the groups and give each the rights of its role; again, it changes nothing."""
    for role, rights in ROLES.items():
        group, _ = Group.objects.get_or_create(name=role)
        held = Permission.objects.filter(content_type__app_label="audits", codename__in=rights)
        group.permissions.add(*held)
