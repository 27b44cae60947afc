"""Keep the registers of recipients and of publications."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, TypeVar

from django.core.exceptions import ValidationError
from django.db import transaction

from audits.core.roles import Right
from audits.models import Publication, Recipient
from audits.services.rights import require

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from django.contrib.auth.models import User

    from lineage.models import Dataset, ModelVersion

Entry = TypeVar("Entry", Recipient, Publication)


NOTHING: Mapping[type[Recipient | Publication], str] = MappingProxyType(
    {
        Recipient: "Choose what was received: at least one data set or model version, or the name "
        "of the API keys with which versions are fetched. Whoever has nothing is told nothing.",
        Publication: "Choose what is public there: at least one data set or model version. Of "
        "anything else no case could tell that it concerns it.",
    }
)


class EntryRefused(ValueError):
    """The entry is not complete; the sentence says what it lacks."""


@transaction.atomic
def keep(
    *, entry: Entry, datasets: Iterable[Dataset], versions: Iterable[ModelVersion], user: User
) -> Entry:
    """Store a recipient or a publication, new or changed, with what it received or shows.

    Raises:
        NotAllowed: the user may not keep registers.
        EntryRefused: a field is missing or not valid; a processor without a contract; nothing
            that was received or is public.
    """
    require(user, Right.REGISTER)
    datasets, versions = list(datasets), list(versions)
    if not datasets and not versions and not getattr(entry, "api_reader", ""):
        raise EntryRefused(NOTHING[type(entry)])
    try:
        entry.full_clean()
    except ValidationError as error:
        raise EntryRefused(" ".join(error.messages)) from error
    entry.save()
    entry.datasets.set(datasets)
    entry.versions.set(versions)
    return entry
