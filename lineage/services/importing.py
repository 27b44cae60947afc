"""Bring records into a data set: ordinals, owners, keyed digests and contents."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction

from lineage import keys
from lineage.models import Dataset
from lineage.services.import_portion import PortionImport
from lineage.services.import_rows import ImportReport, Rejection, Row, portions
from lineage.services.label_conflicts import conflict_search
from lineage.services.missing_erasures import require_replayed
from lineage.services.openlineage_late import match_late
from lineage.services.ordinals import SpaceFull, space_of
from lineage.services.owners import Owners

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

__all__ = [
    "DatasetMisnamed",
    "ImportReport",
    "Rejection",
    "Row",
    "SpaceFull",
    "ensure_dataset",
    "import_records",
]

_LONGEST_NAME = 200


class DatasetMisnamed(ValueError):
    """The name cannot be that of a data set."""


def ensure_dataset(*, name: str, dataset_type: str = "IMAGE") -> Dataset:
    """Return the data set of that name, made with a space of its own if there is none.

    Raises:
        DatasetMisnamed: the name is empty or too long.
    """
    if not name.strip() or len(name) > _LONGEST_NAME:
        raise DatasetMisnamed(
            f"The name of the data set has {len(name)} characters; allowed are 1 to "
            f"{_LONGEST_NAME}, not all blank."
        )
    own = {"namespace": "default", "name": name}
    with transaction.atomic():
        found = Dataset.objects.select_related("space").filter(**own).first()
        if found is not None:
            return found
        fresh = {"space": space_of(**own), "dataset_type": dataset_type}
        made, _ = Dataset.objects.select_related("space").get_or_create(**own, defaults=fresh)
    return made


def import_records(
    *,
    dataset_name: str,
    rows: Iterable[Row | Rejection],
    now: datetime,
    progress: Callable[[ImportReport], None] | None = None,
    note: Callable[[ImportReport], None] | None = None,
) -> ImportReport:
    """Store the records that can be stored and say about each other row why it was not.

    The same key of the same person again is counted as repeated; a location that it brings and
    that was not known of its record is kept. Portions of rows are each one
    transaction: after an abort, import the same rows again. Safe for many processes at once.
    Rows that are like records of another target are reported, or held back, as
    ``EXPUNGE_LABEL_CONFLICTS`` says.

    Args:
        dataset_name: made if there is none of that name.
        rows: in any number; a ``Rejection`` of whoever read them is passed on.
        now: when the records came into being here.
        progress: called with the report so far after each portion.
        note: called with the report of each portion inside the transaction that stores it.

    Raises:
        DatasetMisnamed: see ``ensure_dataset``.
        ErasuresNotReplayed: ``replay_erasures`` must run first; nothing was imported.
        SpaceFull: no ordinals are left.
        StoreFull, StoreNotWritable: a content was not stored, nor any row of its portion.
    """
    require_replayed()
    dataset = ensure_dataset(name=dataset_name)
    report = ImportReport()
    owners, search = Owners(now), conflict_search(dataset.space_id)
    for portion in portions(rows, keys.get_or_create("lookup")):
        report += PortionImport(
            space_id=dataset.space_id,
            now=now,
            portion=portion,
            owners=owners,
            search=search,
            note=_nothing if note is None else note,
        ).run()
        if progress is not None:
            progress(report)
    match_late(now=now)  # after a crash, the sweep does it
    return report


def _nothing(_report: ImportReport) -> None:
    """Note nothing beside a portion."""
