"""Which checkpoints others have confirmed, which wait for it, and whether what they said holds."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from django.conf import settings
from django.db.models import F

from audits.core import events
from audits.core.canonical import sha256
from audits.core.cosignature import parse_witness_keys, verify_cosignatures
from audits.core.time_stamp import StampRefused, verify_stamp
from audits.models import CheckpointAnchor, ComplianceRecord, LogCheckpoint, LogLeaf

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime, timedelta

STAMP = CheckpointAnchor.Kind.STAMP
WITNESS = CheckpointAnchor.Kind.WITNESS
STAMPED = "checkpoint_timestamped"


class AnchorDamaged(Exception):
    """What was kept of another party is gone, was changed, or does not fit its checkpoint."""


@dataclass(frozen=True, kw_only=True)
class CheckedAnchors:
    """What was found.

    Attributes:
        stamps: time stamps that are those of which the log tells.
        verified: of these, how many were held against certificates of the authority.
        waiting: checkpoints that wait for a time stamp.
        error: what the last one that failed said; empty if none did.
        witnessed: checkpoints that a witness signed.
        witness_error: what it said of one that it did not sign; empty if there is none.
    """

    stamps: int
    verified: int
    waiting: int
    error: str
    witnessed: int
    witness_error: str

    @property
    def sentences(self) -> list[str]:
        """Return it for a person; nothing where nobody was ever asked."""
        said = []
        if self.stamps:
            said.append(
                f"{self.stamps} time stamps are those that the log names; {self.verified} were "
                "verified with EXPUNGE_TSA_CERTIFICATE."
            )
        if self.waiting:
            why = f" The last try failed: {self.error}" if self.error else ""
            said.append(f"{self.waiting} checkpoints wait for a time stamp.{why}")
        if self.witnessed:
            said.append(f"{self.witnessed} checkpoints are signed by a witness.")
        if self.witness_error:
            said.append(f"A checkpoint waits for a witness: {self.witness_error}")
        return said


def tsa_certificates() -> str:
    """Return the certificates of the authority in PEM; empty if none are set. Raises OSError."""
    path: str = settings.EXPUNGE_TSA_CERTIFICATE
    return Path(path).read_text() if path else ""


def stamp_of(size: int) -> bytes:
    """Return the time stamp of the checkpoint of this size; empty if there is none."""
    found = CheckpointAnchor.objects.filter(checkpoint_id=size, kind=STAMP).first()
    return bytes(found.data) if found else b""


def resting(kind: str, now: datetime) -> bool:
    """Return whether this party failed and is left alone for now."""
    failed = CheckpointAnchor.objects.filter(kind=kind, next_at__gt=now, said_at=None)
    return failed.exclude(error="").exists()


def due_for_a_stamp(now: datetime, most: int) -> list[LogCheckpoint]:
    """Return checkpoints to be stamped: under which a record was sealed, and one of each day."""
    done = CheckpointAnchor.objects.filter(kind=STAMP).exclude(said_at=None)
    sealed = ComplianceRecord.objects.annotate(size=F("seal_index") + 1).values("size")
    missing = LogCheckpoint.objects.exclude(size__in=done.values("checkpoint_id"))
    due = list(missing.filter(size__in=sealed).order_by("size")[:most])
    newest = LogCheckpoint.objects.order_by("-size").first()
    today = done.filter(checkpoint__created_at__date=now.date()).exists()
    daily = newest is not None and not due and not today
    if daily and newest is not None and not done.filter(checkpoint=newest).exists():
        due.append(newest)
    return due


def last_witnessed() -> int:
    """Return the size of the newest checkpoint that a witness signed; 0 if none did."""
    done = CheckpointAnchor.objects.filter(kind=WITNESS).exclude(said_at=None)
    newest = done.order_by("-checkpoint_id").first()
    return newest.checkpoint_id if newest else 0


def due_for_a_witness(now: datetime, between: timedelta) -> LogCheckpoint | None:
    """Return the newest checkpoint if no witness signed it, or another within so much time."""
    newest = LogCheckpoint.objects.order_by("-size").first()
    done = CheckpointAnchor.objects.filter(kind=WITNESS).exclude(said_at=None)
    if newest is None or done.filter(checkpoint=newest).exists():
        return None
    return None if done.filter(next_at__gt=now, next_at__lte=now + between).exists() else newest


def check_anchors() -> CheckedAnchors:
    """Hold every time stamp against its checkpoint, the log and the authority's certificate.

    Raises:
        AnchorDamaged: at the first that does not fit.
        OSError: the certificates cannot be read.
    """
    roots, named = tsa_certificates(), dict(_named())
    stamps = CheckpointAnchor.objects.filter(kind=STAMP).select_related("checkpoint")
    kept = stamps.exclude(said_at=None).order_by("checkpoint_id")
    for row in kept.iterator():
        _check(row, named.pop(row.checkpoint_id, ""), roots)
    if named:
        raise AnchorDamaged(f"The time stamp of the checkpoint at size {min(named)} is gone.")
    waiting = stamps.filter(said_at=None)
    failed = waiting.exclude(error="").order_by("-next_at").first()
    count = kept.count()
    return CheckedAnchors(
        stamps=count,
        verified=count if roots else 0,
        waiting=waiting.count(),
        error=failed.error if failed else "",
        witnessed=_check_witnessed(),
        witness_error=_witness_error(),
    )


def _check_witnessed() -> int:
    rows = CheckpointAnchor.objects.filter(kind=WITNESS).exclude(said_at=None)
    known = parse_witness_keys(settings.EXPUNGE_WITNESS_KEYS)
    for row in rows.select_related("checkpoint").order_by("checkpoint_id").iterator():
        try:
            verify_cosignatures(bytes(row.data).decode(), row.checkpoint.note, known)
        except ValueError as error:
            raise AnchorDamaged(
                f"The cosignature of the checkpoint at size {row.checkpoint_id} is refused: "
                f"{error} Past witnesses stay in EXPUNGE_WITNESS_KEYS."
            ) from error
    return rows.count()


def _witness_error() -> str:
    waiting = CheckpointAnchor.objects.filter(kind=WITNESS, said_at=None)
    newest = waiting.order_by("-checkpoint_id").first()
    return newest.error if newest else ""


def _named() -> Iterator[tuple[int, str]]:
    for leaf in LogLeaf.objects.filter(type=STAMPED).order_by("index").iterator():
        data = events.parse(bytes(leaf.data)).data
        yield int(str(data["size"])), str(data["digest"])


def _check(row: CheckpointAnchor, named: str, roots: str) -> None:
    size, token = row.checkpoint_id, bytes(row.data)
    if not named == row.digest == sha256(token):
        raise AnchorDamaged(
            f"The time stamp of the checkpoint at size {size} is not the one that the log names."
        )
    if not roots:
        return
    try:
        at = verify_stamp(token, row.checkpoint.note.encode(), roots=roots)
    except StampRefused as error:
        raise AnchorDamaged(f"The checkpoint at size {size}: {error}") from error
    if at != row.said_at:
        raise AnchorDamaged(f"The checkpoint at size {size}: its time stamp names another time.")
