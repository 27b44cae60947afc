"""How far the log is signed, and when all of it was last found whole."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db.models import Subquery

from audits.core import events
from audits.models import CheckpointAnchor, LogCheckpoint, LogHead, LogLeaf

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

CHECKED = "log_checked"
FIELDS = ("size", "root", "note", "created_at")  # of a checkpoint


@dataclass(frozen=True, kw_only=True)
class LogState:
    """The log at a moment; ``checked`` holds the counts of the last full check that was noted.

    ``anchored`` is the size of the newest checkpoint that a time-stamping authority or a witness
    confirmed; 0 where none did.
    """

    size: int
    checkpoint: LogCheckpoint | None
    anchored: int
    checked_index: int | None
    checked_at: datetime | None
    checked: Mapping[str, object]

    @property
    def signed(self) -> int:
        """Return how many events the newest checkpoint covers."""
        return self.checkpoint.size if self.checkpoint else 0

    @property
    def tail(self) -> int:
        """Return how many events are under no checkpoint yet."""
        return max(0, self.size - self.signed)

    @property
    def unanchored(self) -> int:
        """Return how many events nobody else vouches for: whoever has the key could alter them."""
        return max(0, self.size - self.anchored)


def log_state() -> LogState:
    """Return the state of the log, in one query."""
    last = LogLeaf.objects.filter(type=CHECKED).order_by("-index")
    parts = {f"last_{name}": Subquery(last.values(name)[:1]) for name in ("index", "at", "data")}
    newest = LogCheckpoint.objects.order_by("-size")
    signed = {f"signed_{name}": Subquery(newest.values(name)[:1]) for name in FIELDS}
    said = CheckpointAnchor.objects.exclude(said_at=None).order_by("-checkpoint_id")
    parts |= {**signed, "anchored": Subquery(said.values("checkpoint_id")[:1])}
    heads = LogHead.objects.filter(pk=1).annotate(**parts)
    head: dict[str, Any] = heads.values("size", *parts).first() or {"size": 0}
    values = {name: head.get(f"signed_{name}") for name in FIELDS}
    checkpoint = None if values["size"] is None else LogCheckpoint(**values)
    noted = head.get("last_data")
    return LogState(
        size=head["size"],
        checkpoint=checkpoint,
        anchored=(head.get("anchored") or 0) if checkpoint else 0,
        checked_index=head.get("last_index"),
        checked_at=head.get("last_at"),
        checked=events.parse(bytes(noted)).data if noted else {},
    )
