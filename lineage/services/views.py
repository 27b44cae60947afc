"""Open restricted records for one run and one purpose, and leave a trace of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lineage.models import ErasureViewOpening, OrdinalSpace
from lineage.queries.contents import Record, batches, read_batch
from lineage.services.snapshots import check_known

if TYPE_CHECKING:
    import uuid
    from collections.abc import Iterator
    from datetime import datetime

    from pyroaring import BitMap

PURPOSES = ("UNLEARN", "AUDIT", "REVIEW")


class PurposeNotAllowed(ValueError):
    """Restricted records are opened for unlearning, for an audit and to be looked at alone."""


class OutsideErasureView(PermissionError):
    """The record is none of those for which the view was opened."""


@dataclass(frozen=True, kw_only=True)
class ErasureView:
    """The records that one run may read although they are restricted; never served further."""

    opening: ErasureViewOpening
    ordinals: BitMap = field(repr=False)

    def __len__(self) -> int:
        return len(self.ordinals)

    def __iter__(self) -> Iterator[Record]:
        """Yield the records in the order of their ordinals. Raises as ``read``."""
        for batch in batches(self.ordinals):
            yield from read_batch(self.opening.space, batch)

    def read(self, ordinal: int) -> tuple[bytes, str]:
        """Return content and target of one record.

        Raises:
            OutsideErasureView: the view was not opened for this record.
            ArtefactMissing, ArtefactAltered: its stored file is not there or not the same.
        """
        if ordinal not in self.ordinals:
            raise OutsideErasureView(
                f"Record {ordinal} is not in the {self.opening.purpose} view for run "
                f"{self.opening.run_id}."
            )
        record = read_batch(self.opening.space, [ordinal])[0]
        return record.content, record.target


def open_erasure_view(
    *, run_id: uuid.UUID, purpose: str, space: OrdinalSpace, ordinals: BitMap, now: datetime
) -> ErasureView:
    """Open records for one run and log who opened how many of them, when and for what.

    For REVIEW, in which staff look at them, ``run_id`` is that of the case.

    Raises:
        PurposeNotAllowed: the purpose is none of ``PURPOSES``.
        OrdinalsUnknown: the space has not handed them out.
    """
    if purpose not in PURPOSES:
        raise PurposeNotAllowed(f"The purpose is {purpose!r}; allowed are {', '.join(PURPOSES)}.")
    check_known(OrdinalSpace.objects.get(id=space.id), ordinals)
    opening = ErasureViewOpening.objects.create(
        space=space,
        run_id=run_id,
        purpose=purpose,
        record_count=len(ordinals),
        opened_at=now,
    )
    return ErasureView(opening=opening, ordinals=ordinals)
