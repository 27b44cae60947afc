"""Append events to the log, in the transaction of the change that they tell of."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.db import transaction

from audits import keys
from audits.core import events, ledger
from audits.core.growing_tree import GrowingTree
from audits.core.note import Checkpoint, sign_checkpoint
from audits.key_files import SigningKeyMissing
from audits.models import LogCheckpoint, LogHead, LogLeaf

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from uuid import UUID

BETWEEN = timedelta(hours=1)  # two checkpoints, where no letter and no report asks for one
SYSTEM = "system"
SUBJECT = "subject"


logger = logging.getLogger("expunge.log")


class NotInATransaction(Exception):
    """An event must be written together with the change that it tells of."""


def append(
    *,
    type: str,  # noqa: A002  (the field's name in the log)
    case: UUID | None,
    now: datetime,
    data: Mapping[str, Any] | None = None,
    actor: str = SYSTEM,
    once: str | None = None,
) -> LogLeaf:
    """Write one event as the next leaf, or return the leaf already written for ``once``.

    Raises:
        NotInATransaction: called outside ``transaction.atomic``.
        ValueError: the event does not fit the closed schema of ``audits/core/events.py``.
        EdgeMismatch: the head of the log was altered; ``manage.py fsck`` says more.
    """
    if not transaction.get_connection().in_atomic_block:
        raise NotInATransaction(f"The event {type} was written outside a transaction.")
    event = events.draft(type, dict(data or {}), at=now, actor=actor, case=case)
    encoded = events.encode(event)
    head = LogHead.objects.select_for_update().get(pk=1)
    known = LogLeaf.objects.filter(once=once).first() if once else None
    if known:
        return known
    tree = GrowingTree.unpack(head.size, bytes(head.frontier))
    hashed = ledger.leaf_hash(encoded)
    leaf = LogLeaf.objects.create(
        index=head.size,
        data=encoded,
        leaf_hash=hashed,
        nodes=b"".join(tree.add(hashed)),
        case_id=case,
        once=once,
        type=type,
        at=now,
    )
    LogHead.objects.filter(pk=1).update(size=tree.size, frontier=tree.pack())
    return leaf


def come_before_writers() -> None:
    """Take the lock that ``append`` takes, before those of rows that a writer takes after it.

    A job of another process appends first and asks for its own row at its commit: whoever locks
    that row and appends afterwards would wait for it while it waits for them.
    """
    LogHead.objects.select_for_update().get(pk=1)


@transaction.atomic
def checkpoint(*, now: datetime) -> LogCheckpoint:
    """Sign the size and root of the log as it stands, and keep the note; reads the head only."""
    head = LogHead.objects.select_for_update().get(pk=1)
    known = LogCheckpoint.objects.filter(size=head.size).first()
    if known:
        return known
    root = GrowingTree.unpack(head.size, bytes(head.frontier)).root()
    key = keys.signing_key()
    note = sign_checkpoint(Checkpoint(origin=key.name, size=head.size, root=root), key)
    return LogCheckpoint.objects.create(size=head.size, root=root, note=note, created_at=now)


def anchor(*, now: datetime) -> LogCheckpoint | None:
    """Sign the log as it stands, to be printed in what leaves; None where there is no key.

    A letter must not fail for want of a checkpoint: what is missing is told to whoever reads logs.
    """
    try:
        return checkpoint(now=now)
    except SigningKeyMissing as error:
        logger.warning("no checkpoint was made: %s", error)
        return None


def anchor_hourly(*, now: datetime) -> LogCheckpoint | None:
    """Sign the log if it has grown and the newest checkpoint is an hour old; else do nothing."""
    newest = LogCheckpoint.objects.order_by("-size").first()
    size = LogHead.objects.values_list("size", flat=True).get(pk=1)
    fresh = newest is not None and now - newest.created_at < BETWEEN
    if fresh or size == (newest.size if newest else 0):
        return None
    return anchor(now=now)


def code_of(text: str) -> str:
    """Return an error's name as a code that the closed schema accepts."""
    spelled = "".join(f"_{letter}" if letter.isupper() else letter for letter in text)
    if "_" in text or text.isupper():
        spelled = text
    code = "".join(letter if letter.isalnum() else "_" for letter in spelled).strip("_").upper()
    return code[:64] if code[:1].isalpha() else "UNKNOWN"
