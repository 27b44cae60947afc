"""A snapshot as training may see it: without restricted and without erased records."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING

from pyroaring import BitMap

from lineage.queries.availability import barred_ordinals, restricted_ordinals
from lineage.queries.contents import Record, batches, read_batch
from lineage.queries.membership import members

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lineage.models import DatasetSnapshot


class RecordNotServed(PermissionError):
    """The record is not part of the view, or was restricted after the view was opened."""


@dataclass(frozen=True, kw_only=True)
class TrainingView:
    """The usable records of a snapshot.

    ``ordinals`` is fixed when the view is opened; every read asks again whether the record was
    restricted since then, so that a long training cannot read what is restricted meanwhile.
    """

    snapshot: DatasetSnapshot
    ordinals: BitMap = field(repr=False)

    def __len__(self) -> int:
        return len(self.ordinals)

    def __iter__(self) -> Iterator[Record]:
        """Yield the records in the order of their ordinals. Raises as ``read``."""
        for batch in batches(self.ordinals):
            yield from self._served(batch)

    def read(self, ordinal: int) -> tuple[bytes, str]:
        """Return content and target of one record.

        Raises:
            RecordNotServed: outside the view, or restricted.
            ArtefactMissing, ArtefactAltered: the stored file is not there or not the same.
        """
        if ordinal not in self.ordinals:
            raise RecordNotServed(f"Record {ordinal} is not in this view of {self.snapshot}.")
        record = self._served([ordinal])[0]
        return record.content, record.target

    def page(self, *, start: int, size: int) -> list[Record]:
        """Return at most ``size`` records with ordinals from ``start``. Raises as ``read``."""
        wanted = islice(self.ordinals.iter_equal_or_larger(start), size)
        return [record for batch in batches(wanted) for record in self._served(batch)]

    def _served(self, batch: list[int]) -> list[Record]:
        records = read_batch(self.snapshot.space, batch)
        # After reading: what is restricted while a file is read must not leave this function.
        barred = restricted_ordinals(self.snapshot.space) & BitMap(batch)
        if barred:
            raise RecordNotServed(
                f"{len(barred)} records of {self.snapshot} were restricted after this view was "
                f"opened, the first of them {barred.min()}; open a new view."
            )
        return records


def training_view(snapshot: DatasetSnapshot) -> TrainingView:
    """Open a view of a snapshot. Raises ChunkAltered or SnapshotAltered."""
    usable = members(snapshot) - barred_ordinals(snapshot.space)
    return TrainingView(snapshot=snapshot, ordinals=usable)
