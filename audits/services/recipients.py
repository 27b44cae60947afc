"""Keep the registers of recipients and of publications."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from django.core.exceptions import ValidationError
from django.db import transaction

from audits.core.roles import Right
from audits.models import Publication, Recipient
from audits.services.rights import require

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.contrib.auth.models import User

    from lineage.models import Dataset, ModelVersion

Entry = TypeVar("Entry", Recipient, Publication)


class EntryRefused(ValueError):
    """The entry is not complete; the sentence says what it lacks."""


@transaction.atomic
def keep(
    *, entry: Entry, datasets: Iterable[Dataset], versions: Iterable[ModelVersion], user: User
) -> Entry:
    """Store a recipient or a publication, new or changed, with what it received or shows.

    Raises:
        NotAllowed: the user may not keep registers.
        EntryRefused: a field is missing or not valid; a processor without a contract.
    """
    require(user, Right.REGISTER)
    try:
        entry.full_clean()
    except ValidationError as error:
        raise EntryRefused(" ".join(error.messages)) from error
    entry.save()
    entry.datasets.set(datasets)
    entry.versions.set(versions)
    return entry
