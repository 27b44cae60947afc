"""Delete from the store what no row speaks of: the leavings of processes that died.

Such files may hold somebody's data or what a model learned from it, and no erasure would find
them. Young files are left alone, since their rows may be on the way.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from django.db import transaction

from lineage import artifacts
from lineage.models import Artefact, RecordContent
from lineage.services.artefacts import destroy_artefact
from lineage.services.locking import lock_name

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

GRACE = timedelta(days=1)


@dataclass(frozen=True, kw_only=True)
class Sweep:
    """How many files without a row were deleted, by where they lay."""

    staging: int
    records: int
    objects: int


def sweep_store(*, now: datetime, grace: timedelta = GRACE) -> Sweep:
    """Delete files without a row that were written longer ago than ``grace``.

    Raises:
        ArtefactRemains: a file was not deleted.
    """
    before = (now - grace).timestamp()
    _forsake(now, now - grace)
    return Sweep(
        staging=sum(_deleted(uri) for uri in _old(artifacts.STAGING, before)),
        records=sum(_deleted(uri) for uri in _old(artifacts.RECORDS, before) if not _owned(uri)),
        objects=sum(_unneeded(uri) for uri in _old(artifacts.OBJECTS, before)),
    )


def _old(folder: str, before: float) -> Iterator[str]:
    return (uri for uri, written in artifacts.listing(folder) if written < before)


def _deleted(uri: str) -> int:
    artifacts.destroy(uri)
    return 1


def _owned(uri: str) -> bool:
    return RecordContent.objects.filter(uri=uri).exists()


def _forsake(now: datetime, before: datetime) -> None:
    """Give up weights whose run died before it could name a version."""
    for artefact in Artefact.objects.filter(
        kind=Artefact.Kind.WEIGHTS, version=None, destroyed_at=None, created_at__lt=before
    ):
        destroy_artefact(artefact=artefact, now=now)


@transaction.atomic
def _unneeded(uri: str) -> int:
    lock_name(uri)  # as whoever stores or destroys the same bytes
    if Artefact.objects.filter(uri=uri, destroyed_at=None).exists():
        return 0
    return _deleted(uri)
