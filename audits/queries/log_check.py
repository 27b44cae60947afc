"""Rebuild the log's tree from its rows and compare it with everything that was signed over it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from itertools import chain

from audits.core import events, ledger, record
from audits.core.growing_tree import GrowingTree
from audits.core.note import verify_checkpoint
from audits.models import ComplianceRecord, LogCheckpoint, LogHead, LogLeaf


class LogDamaged(Exception):
    """The log is not what was signed; ``index`` is the first leaf that cannot be relied upon."""

    def __init__(self, index: int, reason: str) -> None:
        super().__init__(reason)
        self.index = index


@dataclass(frozen=True, kw_only=True)
class CheckedLog:
    """How much was checked and found whole."""

    events: int
    checkpoints: int
    records: int


def check_log(*, vkey: str) -> CheckedLog:
    """Check every leaf, every stored checkpoint and every sealed record.

    Raises:
        LogDamaged: at the first leaf that fails, or that a signature does not confirm.
        KeyMalformed: vkey is not a verifier key.
    """
    checkpoints = {row.size: row for row in LogCheckpoint.objects.order_by("size")}
    tree, confirmed, wrong = GrowingTree(), 0, -1
    for leaf in chain(LogLeaf.objects.order_by("index").iterator(), [None]):
        if tree.size in checkpoints:
            confirmed = _check_checkpoint(checkpoints[tree.size], tree, confirmed, vkey)
        # Once the leaves are confirmed, it is the subtree that is wrong, not one of them.
        if wrong >= 0 and (confirmed == tree.size or leaf is None):
            raise LogDamaged(wrong, "A subtree kept with the leaf is not that of the leaves.")
        if leaf is None:
            break
        completed = tree.add(_checked_hash(leaf, expected=tree.size))
        if wrong < 0 and bytes(leaf.nodes) != b"".join(completed):
            wrong = leaf.index
    _check_head(tree, max(checkpoints, default=0))
    records = ComplianceRecord.objects.order_by("seal_index")
    for sealed in records.iterator():
        _check_record(sealed, checkpoints, vkey)
    return CheckedLog(events=tree.size, checkpoints=len(checkpoints), records=records.count())


def _checked_hash(leaf: LogLeaf, *, expected: int) -> bytes:
    if leaf.index != expected:
        raise LogDamaged(expected, "The leaf is missing.")
    data = bytes(leaf.data)
    try:
        event = events.parse(data)
    except events.EventRefused as error:
        raise LogDamaged(expected, f"The bytes are not an event: {error}") from error
    if ledger.leaf_hash(data) != bytes(leaf.leaf_hash):
        raise LogDamaged(expected, "The stored hash is not that of the bytes.")
    case = str(leaf.case_id) if leaf.case_id else None
    if (event.type, event.case, event.at) != (leaf.type, case, events.instant(leaf.at)):
        raise LogDamaged(expected, "The columns beside the bytes say something else.")
    return bytes(leaf.leaf_hash)


def _check_checkpoint(row: LogCheckpoint, tree: GrowingTree, confirmed: int, vkey: str) -> int:
    """Return the size up to which the log is now confirmed."""
    try:
        signed = verify_checkpoint(row.note, vkey)
    except ValueError as error:
        raise LogDamaged(
            confirmed, f"The checkpoint at size {row.size} is refused: {error}"
        ) from error
    stored = (row.size, bytes(row.root))
    if (signed.size, signed.root) != stored or stored != (tree.size, tree.root()):
        raise LogDamaged(
            confirmed,
            f"The log does not give the root signed at size {row.size}: a leaf from {confirmed} "
            f"to {max(row.size - 1, 0)} was changed.",
        )
    return tree.size


def _check_head(tree: GrowingTree, signed: int) -> None:
    if signed > tree.size:
        raise LogDamaged(
            tree.size, f"The log ends here, but a checkpoint was signed over {signed} leaves."
        )
    head = LogHead.objects.filter(pk=1).first()
    counted = head.size if head else None
    if head is None or counted != tree.size:
        raise LogDamaged(
            min(tree.size, counted or 0),
            f"There are {tree.size} leaves, but the head counts {counted}.",
        )
    if bytes(head.frontier) != tree.pack():
        raise LogDamaged(tree.size, "The head keeps other subtrees than those of the leaves.")


def _check_record(
    sealed: ComplianceRecord, checkpoints: dict[int, LogCheckpoint], vkey: str
) -> None:
    data = bytes(sealed.data)
    try:
        found = record.verify(data, vkey=vkey)
    except record.RecordRejected as error:
        raise LogDamaged(
            sealed.seal_index, f"The record {sealed.pk} is refused: {error}"
        ) from error
    columns = (sealed.sha256, sealed.seal_index, sealed.outcome)
    if columns != (hashlib.sha256(data).hexdigest(), found.seal.index, found.account.outcome):
        raise LogDamaged(
            sealed.seal_index, f"The columns of record {sealed.pk} say something else."
        )
    row = checkpoints.get(found.checkpoint.size)
    if row is None or bytes(row.root) != found.checkpoint.root:
        raise LogDamaged(
            sealed.seal_index, f"The checkpoint of record {sealed.pk} is not one of this log."
        )
