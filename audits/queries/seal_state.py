"""Whether what was sealed of a case is signed, vouched for by others, and was checked since."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db.models import Subquery

from audits.core import events
from audits.models import CheckpointAnchor, LogCheckpoint, LogHead, LogLeaf
from audits.queries.log_state import CHECKED

if TYPE_CHECKING:
    from datetime import datetime

    from audits.models import ComplianceRecord


@dataclass(frozen=True, kw_only=True)
class SealState:
    """The log around the seal of a record, which is the event at ``index``.

    ``signed`` and ``anchored`` are sizes, as in ``LogState``; ``checked_events`` is how many
    events the last full check that was noted found whole, 0 where none was.
    """

    index: int
    signed: int
    anchored: int
    checked_index: int | None
    checked_at: datetime | None
    checked_events: int

    @property
    def is_signed(self) -> bool:
        """Return whether a signed checkpoint covers the seal."""
        return self.signed > self.index

    @property
    def is_anchored(self) -> bool:
        """Return whether a time-stamping authority or a witness confirmed such a checkpoint."""
        return self.anchored > self.index

    @property
    def is_checked(self) -> bool:
        """Return whether the last full check came after the seal."""
        return self.checked_events > self.index


def seal_state(record: ComplianceRecord) -> SealState:
    """Return the state of the log around a sealed record, in one query."""
    last = LogLeaf.objects.filter(type=CHECKED).order_by("-index")
    said = CheckpointAnchor.objects.exclude(said_at=None).order_by("-checkpoint_id")
    newest = LogCheckpoint.objects.order_by("-size")
    row: Any = (
        LogHead.objects.filter(pk=1)
        .annotate(
            signed=Subquery(newest.values("size")[:1]),
            anchored=Subquery(said.values("checkpoint_id")[:1]),
            checked_index=Subquery(last.values("index")[:1]),
            checked_at=Subquery(last.values("at")[:1]),
            checked=Subquery(last.values("data")[:1]),
        )
        .values("signed", "anchored", "checked_index", "checked_at", "checked")
        .first()
    ) or {}
    told = events.parse(bytes(row["checked"])).data if row.get("checked") else {}
    return SealState(
        index=record.seal_index,
        signed=row.get("signed") or 0,
        anchored=row.get("anchored") or 0,
        checked_index=row.get("checked_index"),
        checked_at=row.get("checked_at"),
        checked_events=int(str(told.get("events", 0))),
    )
