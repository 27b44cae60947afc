"""What shows to a stranger that an event is in the log, and that the log only grew."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audits.core.canonical import write_base64
from audits.core.ledger import verify_consistency, verify_inclusion
from audits.core.proof import TlogProof
from audits.models import ErasureRequest, LogCheckpoint, LogLeaf
from audits.queries import log_tree
from lineage.core.worded import worded, worded_of

if TYPE_CHECKING:
    from uuid import UUID


class NotSignedYet(Exception):
    """No checkpoint covers what is asked for."""


def newest_checkpoint() -> LogCheckpoint:
    """Return the newest checkpoint. Raises NotSignedYet where none was made."""
    newest = LogCheckpoint.objects.order_by("-size").first()
    if newest is None:
        raise NotSignedYet(
            worded("No checkpoint of the log was signed yet; one is made every hour.")
        )
    return newest


def tlog_proof(index: int, checkpoint: LogCheckpoint) -> str:
    """Return the C2SP ``tlog-proof`` text of one event under a checkpoint, once it verifies.

    Raises:
        NotSignedYet: the checkpoint does not cover the event.
        NotProven: the log does not give the root that was signed; see ``manage.py fsck``.
        SubtreeMissing: the same.
    """
    if not 0 <= index < checkpoint.size:
        raise NotSignedYet(
            worded_of(
                "index",
                "It is %(index)s; the newest checkpoint covers the events from 0 to %(last)s.",
                index=index,
                last=checkpoint.size - 1,
            )
        )
    path = log_tree.inclusion_paths([index], checkpoint.size)[index]
    verify_inclusion(
        index=index,
        size=checkpoint.size,
        leaf=bytes(LogLeaf.objects.values_list("leaf_hash", flat=True).get(index=index)),
        path=path,
        root=bytes(checkpoint.root),
    )
    return TlogProof(index=index, path=tuple(path), checkpoint_note=checkpoint.note).encode()


def consistency(older: int, checkpoint: LogCheckpoint) -> str:
    """Return the hashes that show that the log under a checkpoint extends its first ``older``.

    One base64 line for each, in the order of RFC 9162 2.1.4.1; none where the sizes are equal.

    Raises:
        OutsideTree: ``older`` is 0, or larger than the checkpoint.
        NotProven: the log does not give the root that was signed; see ``manage.py fsck``.
        SubtreeMissing: the same.
    """
    path = log_tree.consistency_path(older, checkpoint.size)
    verify_consistency(
        old_size=older,
        new_size=checkpoint.size,
        old_root=log_tree.root_at(older),
        new_root=bytes(checkpoint.root),
        path=path,
    )
    return "".join(f"{write_base64(one)}\n" for one in path)


def events_of(case: str) -> list[int]:
    """Return the indices of a case's events, by its reference; empty for none."""
    known: UUID | None = (
        ErasureRequest.objects.filter(reference=case).values_list("pk", flat=True).first()
    )
    if known is None:
        return []
    found = LogLeaf.objects.filter(case_id=known).order_by("index")
    return list(found.values_list("index", flat=True))


def event_bytes(index: int) -> bytes:
    """Return the event as it is hashed: canonical JSON."""
    return bytes(LogLeaf.objects.values_list("data", flat=True).get(index=index))
