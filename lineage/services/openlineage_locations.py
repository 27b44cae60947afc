"""Match the files that events name with the records that were imported from them.

Only keyed digests are kept, and only of files that no record is known of yet: a record with that
location may be imported later.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lineage import keys
from lineage.core.identifiers import location_digest
from lineage.models import OrdinalSpace, RecordLocation, UnmatchedLocation

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


Places = dict[bytes, list[tuple[int, int]]]  # by digest: each space and ordinal
_AT_ONCE = 5_000


def digests_of(locations: Iterable[str]) -> set[bytes]:
    """Return the keyed digests of some files."""
    key = keys.get_or_create("location")
    return {location_digest(key, location) for location in locations}


def portions(digests: Iterable[bytes]) -> Iterator[list[bytes]]:
    """Yield digests in the numbers that one statement takes."""
    listed = sorted(digests)
    for start in range(0, len(listed), _AT_ONCE):
        yield listed[start : start + _AT_ONCE]


def places_of(digests: Iterable[bytes]) -> Places:
    """Return the records that were imported from some files, in every space."""
    # By space, since the primary key begins with it.
    spaces = OrdinalSpace.objects.filter(next_ordinal__gt=0).values_list("id", flat=True)
    found: Places = {}
    for batch in portions(digests):
        for space in spaces:
            rows = RecordLocation.objects.filter(space=space, digest__in=batch)
            for digest, ordinal in rows.values_list("digest", "ordinal"):
                found.setdefault(bytes(digest), []).append((space, ordinal))
    return found


def keep_unmatched(event: str, unmatched: Iterable[tuple[int, bytes]]) -> None:
    """Keep what no record is known of: the place among the inputs of the event, and the digest."""
    UnmatchedLocation.objects.bulk_create(
        (
            UnmatchedLocation(event_id=event, place=place, digest=digest)
            for place, digest in unmatched
        ),
        batch_size=2_000,
    )


def note_known(digests: Iterable[bytes]) -> None:
    """Note that there are records with these locations now, so that events are matched again."""
    for batch in portions(digests):
        UnmatchedLocation.objects.filter(digest__in=batch).update(due=True)


def locations_of(space: OrdinalSpace, ordinals: Iterable[int]) -> set[bytes]:
    """Return the digests of where some records were imported from."""
    rows = RecordLocation.objects.filter(space=space, ordinal__in=list(ordinals))
    return {bytes(digest) for digest in rows.values_list("digest", flat=True)}
