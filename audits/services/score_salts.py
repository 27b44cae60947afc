"""The salt under which the scores of a run's shadow models are committed to; it goes with them.

It is a key of its own and not the case's: it may be shown to whoever checks the scores, and is
destroyed with them, when the case's key is still needed to open what else the log commits to.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from audits.queries.look_scores import salt_name
from lineage import keys

if TYPE_CHECKING:
    from collections.abc import Iterable
    from uuid import UUID


def salt_of(*, run_id: UUID) -> bytes | None:
    """Return the salt of a run, made now if there is none; None once it is destroyed."""
    try:
        return keys.get_or_create(salt_name(run_id))
    except keys.KeyDestroyed:
        return None


def destroy_salts(*, run_ids: Iterable[UUID]) -> None:
    """Destroy the salts of runs whose scores are deleted, before these are.

    A crash in between leaves scores that nobody can hold against the commitment, and never the
    other way round.

    Raises:
        KeyRemains: the key store still gives one of them.
    """
    for name in sorted(map(salt_name, run_ids)):
        keys.destroy(name)
