"""Append very many events to the log at once: real leaves, in the order in which they are given.

What ``audits.services.log`` writes one by one, in a few statements: the canonical bytes, the leaf
hash, the subtrees that each leaf completes, and the head. Import it once Django is set up.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any

from django.db import transaction

from audits.core import events
from audits.core.growing_tree import GrowingTree
from audits.core.ledger import leaf_hash
from audits.models import LogHead, LogLeaf

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime
    from uuid import UUID

AT_ONCE = 5_000


@dataclass(frozen=True, kw_only=True)
class Entry:
    """An event that is to be written; fields as those of ``audits.services.log.append``."""

    type: str
    at: datetime
    case: UUID | None = None
    data: Mapping[str, Any] = field(default_factory=dict)
    actor: str = "system"


@transaction.atomic
def write_leaves(entries: Iterable[Entry]) -> int:
    """Append events behind what the log holds; return how many there are now.

    Raises:
        EventRefused: one does not fit the closed schema; then none is written.
    """
    head = LogHead.objects.select_for_update().get(pk=1)
    tree = GrowingTree.unpack(head.size, bytes(head.frontier))
    leaves = _leaves(entries, tree)
    while some := list(islice(leaves, AT_ONCE)):
        LogLeaf.objects.bulk_create(some)
    LogHead.objects.filter(pk=1).update(size=tree.size, frontier=tree.pack())
    return tree.size


def _leaves(entries: Iterable[Entry], tree: GrowingTree) -> Iterator[LogLeaf]:
    for one in entries:
        event = events.draft(one.type, one.data, at=one.at, actor=one.actor, case=one.case)
        data = events.encode(event)
        hashed, index = leaf_hash(data), tree.size
        yield LogLeaf(
            index=index,
            data=data,
            leaf_hash=hashed,
            nodes=b"".join(tree.add(hashed)),
            case_id=one.case,
            type=one.type,
            at=one.at,
        )
