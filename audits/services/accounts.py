"""Accounts of staff: make one, give and take roles, close one, and who may change which."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction

from audits.core.roles import ROLES
from audits.queries.accounts import colleague_at
from audits.services import role_log, sign_in
from audits.services.rights import give_role, make_roles

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from datetime import datetime

# What decides who may do what: the address tells whose own request a case is.
GUARDED = frozenset({"groups", "is_superuser", "is_staff", "is_active", "email"})


class AccountRefused(ValueError):
    """An account cannot be made or changed like that; the sentence says why."""


def check_change(*, by: User, account: User, changed: Collection[str]) -> None:
    """Refuse a change of an account that would widen or hide what its author may do.

    ``changed`` names fields of ``User``; ``account`` is as it was before.

    Raises:
        AccountRefused: it is their own account, or only a superuser may do so.
    """
    if account.pk == by.pk and GUARDED & set(changed):
        raise AccountRefused(
            "Nobody changes their own roles, state or e-mail address. Ask another administrator."
        )
    if not by.is_superuser and (account.is_superuser or "is_superuser" in changed):
        raise AccountRefused("Only a superuser changes the account of a superuser, or makes one.")


def check_address(*, account: User) -> None:
    """Refuse an open account of staff that has the address of another: one person, one account.

    Raises:
        AccountRefused: another open account of staff has the address.
    """
    other = colleague_at(account.email, besides=account.pk)
    if account.is_staff and account.is_active and other:
        raise AccountRefused(
            f"The open account {other.username!r} has this e-mail address. Two accounts of one "
            "person would defeat the second pair of eyes; change or close one of them."
        )


@transaction.atomic
def add_member(
    *, name: str, roles: Iterable[str], now: datetime, email: str = ""
) -> tuple[User, str]:
    """Make an account of staff with roles; return it with its password, "" if it was there.

    A member of staff who has an account is given the roles that they lack, and the address.

    Raises:
        AccountRefused: there is no such role, the name or address cannot be used, or the account
            is closed or not one of staff, or another has the address.
    """
    roles = [_known(role) for role in roles]
    make_roles()
    user = User.objects.select_for_update().filter(username=name).first()
    password = ""
    if user is None:
        password = secrets.token_urlsafe(12)
        user = User(username=name, email=email, is_staff=True)
        user.set_password(password)
    elif not (user.is_active and user.is_staff):
        raise AccountRefused(f"The account {name!r} is closed or not one of staff.")
    user.email = email or user.email
    check_address(account=user)
    try:
        user.full_clean()
    except ValidationError as error:
        raise AccountRefused(" ".join(error.messages)) from error
    with role_log.told(user, now=now):
        user.save()
        for role in roles:
            give_role(user=user, role=role)
    return user, password


@transaction.atomic
def take_role(*, name: str, role: str, now: datetime) -> bool:
    """Take a role from a member of staff; False when they do not have it.

    Raises:
        AccountRefused: there is no such role or account.
    """
    user = _account(name)
    held = user.groups.filter(name=_known(role))
    if not held:
        return False
    with role_log.told(user, now=now):
        user.groups.remove(*held)
    return True


@transaction.atomic
def close_account(*, name: str, now: datetime) -> bool:
    """Close an account for good, which ends its sessions; False when it is closed.

    It stays, since decisions name whoever took them.

    Raises:
        AccountRefused: there is no such account.
    """
    user = _account(name)
    if not user.is_active:
        return False
    with role_log.told(user, now=now):
        user.is_active = False
        user.set_unusable_password()
        user.save(update_fields=["is_active", "password"])
        user.groups.clear()
    return True


@transaction.atomic
def unlock_account(*, name: str, now: datetime) -> bool:
    """Open an account that wrong passwords or codes locked; False when it is not locked.

    Raises:
        AccountRefused: there is no such account.
    """
    return sign_in.unlock(_account(name), now=now)


@transaction.atomic
def reset_factors(*, name: str, now: datetime) -> int:
    """Take every second factor of a member who lost theirs; return how many there were.

    Raises:
        AccountRefused: there is no such account.
    """
    return sign_in.take_factors(_account(name), now=now)


@transaction.atomic
def unlink_account(*, name: str, now: datetime) -> bool:
    """Let no service vouch for a member until one is linked anew; False where none did.

    Raises:
        AccountRefused: there is no such account.
    """
    return sign_in.unlink(_account(name), now=now)


def _known(role: str) -> str:
    """Return the role, whatever the case it was typed in."""
    for name in ROLES:
        if name.lower() == role.lower():
            return name
    raise AccountRefused(f"role is {role!r}; allowed are {', '.join(ROLES)}.")


def _account(name: str) -> User:
    user = User.objects.select_for_update().filter(username=name, is_staff=True).first()
    if user is None:
        raise AccountRefused(f"There is no account of staff {name!r}.")
    return user
