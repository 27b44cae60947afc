"""Which accounts of staff are one person's: those of one e-mail address."""

from __future__ import annotations

from django.contrib.auth.models import User

from lineage.core.identifiers import EMAIL, IdentifierNotUsable, normalise


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
