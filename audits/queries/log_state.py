"""How far the log is signed, and when all of it was last found whole."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db.models import F, Subquery

from audits.core import events
from audits.models import CheckpointAnchor, LogCheckpoint, LogHead, LogLeaf

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from django.db.models import QuerySet

CHECKED = "log_checked"


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
    """Return the state of the log, in one query; in two where nothing was signed yet."""
    last = LogLeaf.objects.filter(type=CHECKED).order_by("-index")
    parts = {f"last_{name}": Subquery(last.values(name)[:1]) for name in ("index", "at", "data")}
    said = CheckpointAnchor.objects.exclude(said_at=None).order_by("-checkpoint_id")
    heads = LogHead.objects.filter(pk=1)
    newest = LogCheckpoint.objects.order_by("-size").annotate(
        anchored=Subquery(said.values("checkpoint_id")[:1]),
        head=Subquery(heads.values("size")[:1]),
        **parts,
    )
    checkpoint = newest.first()
    found: dict[str, Any] = vars(checkpoint) if checkpoint else _of_head(heads, parts)
    noted = found.get("last_data")
    return LogState(
        size=found.get("head") or 0,
        checkpoint=checkpoint,
        anchored=found.get("anchored") or 0,
        checked_index=found.get("last_index"),
        checked_at=found.get("last_at"),
        checked=events.parse(bytes(noted)).data if noted else {},
    )


def _of_head(heads: QuerySet[LogHead], parts: Mapping[str, Subquery]) -> dict[str, Any]:
    """Return the same of a log that nobody signed yet."""
    return heads.annotate(head=F("size"), **parts).values("head", *parts).first() or {}
