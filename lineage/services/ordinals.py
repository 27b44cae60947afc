"""Hand out ordinals, each once."""

from __future__ import annotations

from lineage.core.bitmaps import HIGHEST_ORDINAL
from lineage.models import OrdinalSpace
from lineage.services.missing_erasures import require_replayed


class SpaceFull(OverflowError):
    """A space has handed out all its 4,294,967,296 ordinals."""


class OrdinalsTaken(RuntimeError):
    """Another process handed out the same ordinals; nothing was stored."""


def take_ordinals(space: OrdinalSpace, count: int) -> int:
    """Hand out the next ordinals of a locked space and return the first of them.

    Raises:
        SpaceFull: too few are left.
        OrdinalsTaken: the space was not locked.
        ErasuresNotReplayed: after a restore, the next ordinals may be those of erased people.
    """
    require_replayed()
    first = space.next_ordinal
    if first + count > HIGHEST_ORDINAL + 1:
        raise SpaceFull(
            f"The space {space.name} has {HIGHEST_ORDINAL + 1 - first} ordinals left; "
            f"{count} are needed."
        )
    untouched = OrdinalSpace.objects.filter(id=space.id, next_ordinal=first)
    if not untouched.update(next_ordinal=first + count):
        raise OrdinalsTaken(f"Ordinals from {first} of {space.name} were handed out meanwhile.")
    return first
