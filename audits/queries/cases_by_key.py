"""Which cases an API key may ask about: all, or those that keys of its name handed in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audits.models import ErasureRequest

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from lineage.models import ApiKey


class CaseNotHere(LookupError):
    """There is no such case, or not for this key."""


def cases_for(key: ApiKey, scope: str) -> QuerySet[ErasureRequest]:
    """Return the cases that a key may ask an address about.

    Args:
        key: all of them if it has the scope, else those that keys of its name handed in.
        scope: which opens every case at this address; no other scope does.
    """
    every = ErasureRequest.objects.select_related("subject")
    return every if scope in key.scopes else every.filter(intake__key_name=key.name)


def case_for(key: ApiKey, reference: str, scope: str) -> ErasureRequest:
    """Return a case that a key may ask an address about: ``cases_for``. Raises CaseNotHere."""
    found = cases_for(key, scope).filter(reference=reference).first()
    if found is None:
        raise CaseNotHere("There is no case of this reference, or none that this key may see.")
    return found


def case_handed_in(key: ApiKey, reference: str) -> ErasureRequest:
    """Return a case that keys of the same name handed in. Raises CaseNotHere."""
    found = ErasureRequest.objects.filter(reference=reference, intake__key_name=key.name).first()
    if found is None:
        raise CaseNotHere("No case of this reference was handed in with a key of this name.")
    return found
