"""Match the files that events name with the records that were imported from them.

Only keyed digests are kept, of files that a record is known of as well: another record with that
location may be imported later, and the order in which they came must not count.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from django.db import transaction

from lineage import keys
from lineage.core.identifiers import location_digest
from lineage.models import NamedLocation, OrdinalSpace, ReceivedEvent, RecordLocation, Run
from lineage.services.location_rows import insert_named, portions, records_at
from lineage.services.locking import hold_import, lock_name

if TYPE_CHECKING:
    from collections.abc import Iterable


Places = dict[bytes, list[tuple[int, int]]]  # by digest: each space and ordinal


def digests_of(locations: Iterable[str]) -> set[bytes]:
    """Return the keyed digests of some files."""
    key = keys.get_or_create("location")
    return {location_digest(key, location) for location in locations}


def places_of(digests: Iterable[bytes]) -> Places:
    """Return the records that were imported from some files, in every space."""
    # By space, since the primary key begins with it.
    spaces = OrdinalSpace.objects.filter(next_ordinal__gt=0).values_list("id", flat=True)
    found: Places = {}
    for batch in portions(digests):
        for space in spaces:
            for digest, ordinal in records_at(space, batch):
                found.setdefault(digest, []).append((space, ordinal))
    return found


def keep_named(event: str, named: Iterable[tuple[int, bytes, bool]]) -> None:
    """Keep what an event named: the place among its inputs, the digest, whether it was matched.

    It is due at once: an import that is not committed yet could neither be found nor find it.
    """
    insert_named(event, named)


def note_known(digests: Iterable[bytes], **only: bool) -> None:
    """Note that there are records with these locations now, so that events are matched again.

    Call it in the transaction that stores the records.
    """
    hold_import()
    for batch in portions(digests):
        NamedLocation.objects.filter(digest__in=batch, **only).update(due=True)


@transaction.atomic
def forget_located(space: OrdinalSpace, ordinals: list[int]) -> None:
    """Forget where some records lay; what an event named is kept where others lie there too.

    Where nobody does, only that an event named something is left. Another record may be imported
    with that location later, so the run is not captured from now on.
    """
    digests = locations_of(space, ordinals)
    RecordLocation.objects.filter(space=space, ordinal__in=ordinals).delete()
    for batch in portions(digests - places_of(digests).keys()):
        _forget_named(batch)


def _forget_named(digests: list[bytes]) -> None:
    rows = NamedLocation.objects.filter(digest__in=digests)
    runs = sorted(set(rows.values_list("event__run_id", flat=True)))
    for run in runs:
        lock_name(f"run:{run}")
    named = list(rows.values_list("event_id", "place", "matched"))
    for event in ReceivedEvent.objects.filter(sha256__in={of for of, _, _ in named}):
        for of, place, matched in named:
            if of == event.sha256 and matched:
                event.body["inputs"][place]["unmatched"] += 1
        event.save(update_fields=["body"])
    rows.delete()
    # In place of the digest, bytes that say nothing and that no location will ever have.
    NamedLocation.objects.bulk_create(
        NamedLocation(event_id=of, place=place, digest=secrets.token_bytes(16))
        for of, place, _ in named
    )
    Run.objects.filter(id__in=runs).update(capture_level=Run.Capture.NONE)


def locations_of(space: OrdinalSpace, ordinals: Iterable[int]) -> set[bytes]:
    """Return the digests of where some records were imported from."""
    rows = RecordLocation.objects.filter(space=space, ordinal__in=list(ordinals))
    return {bytes(digest) for digest in rows.values_list("digest", flat=True)}
