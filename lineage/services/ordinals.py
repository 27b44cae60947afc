"""Hand out ordinals, each once."""

from __future__ import annotations

import hashlib

import rfc8785

from lineage.core.bitmaps import HIGHEST_ORDINAL
from lineage.core.told_names import LONGEST, joined
from lineage.models import Dataset, OrdinalSpace
from lineage.services.missing_erasures import require_replayed


class SpaceFull(OverflowError):
    """A space has handed out all its 4,294,967,296 ordinals."""


class OrdinalsTaken(RuntimeError):
    """Another process handed out the same ordinals; nothing was stored."""


def space_of(namespace: str, name: str) -> OrdinalSpace:
    """Return the space of a data set that is about to be made, with a name of its own.

    It has the name of the data set where no other data set lies in a space of that name: two
    that shared one would be taken for one another.
    """
    text = name if namespace == "default" else joined(namespace, name)
    others = Dataset.objects.exclude(namespace=namespace, name=name)
    if len(text) > LONGEST or others.filter(space__name=text).exists():
        digest = hashlib.sha256(rfc8785.dumps([namespace, name])).hexdigest()
        text = f"{text[:100]} {digest}"
    return OrdinalSpace.objects.get_or_create(name=text)[0]


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
