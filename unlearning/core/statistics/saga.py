"""Subtract first, delete second: an erasure that survives a crash at any point.

What a record contributed is computed from the stored record, so it must be subtracted before the
record is deleted, and neither step may happen twice or be lost. The file holds the statistics
*and* the ids of the erasures that are out of them, and is replaced as a whole.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from expunge.disk import sync_folder, write_whole
from unlearning.core.statistics.state import State

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from unlearning.core.statistics.counters import Integers


def write(path: Path, state: State) -> None:
    """Replace the file by ``state``: after a crash it holds the old or the new, never a part."""
    write_whole(path, state.to_bytes())
    sync_folder(path.parent)


def read(path: Path) -> State:
    """Return the state that a file holds.

    Raises:
        NotStatistics: it holds something else.
    """
    return State.from_bytes(path.read_bytes())


def erase(
    path: Path,
    *,
    operation: str,
    records: Callable[[], tuple[Integers, Integers]],
    delete: Callable[[], None],
) -> bool:
    """Take records out of the statistics in a file, then delete them from the store.

    Call it again with the same ``operation`` after any crash: statistics that are without the
    records already are left alone, ``records`` is not called (they may be gone) and the deletion
    is carried out again, so ``delete`` must bear that. Nobody else may write to the file
    meanwhile; a lease on the model sees to it.

    Args:
        path: the file of the statistics.
        operation: an id that this erasure, and no other, has.
        records: returns (rows, targets) as they were added.
        delete: deletes the stored records.

    Returns:
        True if the statistics were changed by this call, False if they had been before.

    Raises:
        NeverAdded: the records cannot all have been added; nothing was changed or deleted.
    """
    state = read(path)
    fresh = operation not in state.operations
    if fresh:
        write(path, state.removed(*records(), operation=operation))
    delete()
    return fresh
