"""The members of the last few snapshots that this process took, which the next are stored against.

Only for storing: whoever asks what a snapshot holds reads and verifies what is stored.
"""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock
from typing import TYPE_CHECKING

from pyroaring import BitMap, FrozenBitMap

from lineage.queries.membership import members

if TYPE_CHECKING:
    from pyroaring import BitMap

    from lineage.models import DatasetSnapshot

_MOST = 4
_lock = Lock()
_held: OrderedDict[tuple[object, str], FrozenBitMap] = OrderedDict()


def remember(snapshot: DatasetSnapshot, ordinals: BitMap) -> None:
    """Keep the members of a snapshot that was just taken."""
    with _lock:
        _held[snapshot.pk, snapshot.digest] = FrozenBitMap(ordinals)
        while len(_held) > _MOST:
            _held.popitem(last=False)


def members_of(snapshot: DatasetSnapshot) -> BitMap | FrozenBitMap:
    """Return the members of a snapshot, from memory or verified from the database.

    Raises:
        ChunkAltered, SnapshotAltered: what is stored is not what was written.
    """
    with _lock:
        held = _held.get((snapshot.pk, snapshot.digest))
    return members(snapshot) if held is None else held
