"""Tell the log who may do what from now on: random ids and codes, no names."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from django.contrib.auth.models import User
from django.db import transaction

from audits.core.roles import ROLES
from audits.services import log
from audits.services.actors import actor_of, staff_pseudonym
from audits.services.sign_in import end_sessions

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

# What an account holds beside its roles.
FLAGS = ("is_superuser", "is_staff", "is_active")


def held(user_id: int | None) -> frozenset[str]:
    """Return the codes of all that an account may do by: roles, SUPERUSER, STAFF and ACTIVE."""
    user = User.objects.filter(pk=user_id).first() if user_id else None
    if user is None:
        return frozenset()
    flags = {name.removeprefix("is_").upper() for name in FLAGS if getattr(user, name)}
    roles = user.groups.filter(name__in=ROLES).values_list("name", flat=True)
    return frozenset(flags | {code_of(role) for role in roles})


def code_of(role: str) -> str:
    """Return the code of a role, such as CASE_OFFICER."""
    return role.upper().replace(" ", "_")


@contextmanager
def told(user: User, *, now: datetime, by: User | None = None) -> Iterator[None]:
    """Note what a block of code changes of an account that may not be there yet.

    In one transaction with it; ``by`` is missing where it is done at the shell.
    """
    with transaction.atomic():
        before = held(user.pk)
        yield
        note(user, before, now=now, by=by)


@transaction.atomic
def note(user: User, before: frozenset[str], *, now: datetime, by: User | None = None) -> None:
    """Log what an account was given and lost since ``before``; whoever has it signs in anew."""
    after = held(user.pk)
    if before and before != after:
        end_sessions(user)
    for role in sorted(before ^ after):
        result = "GIVEN" if role in after else "TAKEN"
        data = {"member": staff_pseudonym(user.pk), "role": role, "result": result}
        actor = actor_of(by) if by else log.SYSTEM
        log.append(type="role_changed", case=None, now=now, actor=actor, data=data)


def note_password(user: User, *, by: User, now: datetime) -> None:
    """Log that somebody set the password of an account, and so could sign in as its owner."""
    data = {"member": staff_pseudonym(user.pk), "by": staff_pseudonym(by.pk)}
    log.append(type="password_set", case=None, now=now, actor=actor_of(by), data=data)
