"""Match events again when records come whose locations they named: late, but never lost.

Safe to call at any time and from many processes; again, it changes nothing. What a match shows is
judged like what an event tells: a version that turns out to have learned from an erased record is
quarantined.
"""

from __future__ import annotations

import base64
from collections import defaultdict
from typing import TYPE_CHECKING, Any

from django.db import transaction
from pyroaring import BitMap

from lineage.core.bitmaps import decode, encode
from lineage.models import ReceivedEvent, UnmatchedLocation
from lineage.queries.contents import batches
from lineage.services.locking import lock_name
from lineage.services.openlineage_graph import build
from lineage.services.openlineage_locations import (
    locations_of,
    note_known,
    places_of,
    portions,
)

if TYPE_CHECKING:
    import uuid
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from lineage.models import OrdinalSpace
    from lineage.services.openlineage_locations import Places


def match_late(*, now: datetime) -> int:
    """Match the events of which a location is known by now; return of how many runs."""
    due = UnmatchedLocation.objects.filter(due=True).values_list("event__run_id", flat=True)
    return sum(match_run(run_id=run_id, now=now) for run_id in sorted(set(due)))


def match_before_erasure(*, space: OrdinalSpace, ordinals: BitMap, now: datetime) -> None:
    """Match what named the locations of some records, as long as these are still known."""
    for batch in batches(ordinals):
        note_known(locations_of(space, batch))
    match_late(now=now)


@transaction.atomic
def match_run(*, run_id: uuid.UUID, now: datetime) -> bool:
    """Match what is left unmatched of the events of a run; return whether something was."""
    lock_name(f"run:{run_id}")
    left = UnmatchedLocation.objects.filter(event__run_id=run_id)
    rows: list[tuple[bytes, str, int]] = [
        (bytes(one.digest), str(one.event_id), one.place) for one in left.iterator()
    ]
    found = places_of({row[0] for row in rows})
    if found:
        _write(run_id, [row for row in rows if row[0] in found], found)
        build(run_id=run_id, now=now)
    # Last: whoever imports locks a space first and these rows then.
    for batch in portions(found):
        left.filter(digest__in=batch).delete()
    return bool(found)


def _write(run_id: uuid.UUID, rows: Iterable[tuple[bytes, str, int]], found: Places) -> None:
    by_input: dict[tuple[str, int], list[bytes]] = defaultdict(list)
    for digest, sha256, place in rows:
        by_input[sha256, place].append(digest)
    for event in ReceivedEvent.objects.filter(run_id=run_id):
        ours = {place: own for (of, place), own in by_input.items() if of == event.sha256}
        for place, digests in ours.items():
            kept = event.body["inputs"][place]
            kept["members"] = with_members(kept["members"], (found[one] for one in digests))
            kept["unmatched"] -= len(digests)
        if ours:
            event.save(update_fields=["body"])


def with_members(
    members: Iterable[Mapping[str, Any]], places: Iterable[Iterable[tuple[int, int]]]
) -> list[dict[str, Any]]:
    """Return the members by space with some more records."""
    ordinals: dict[int, BitMap] = defaultdict(BitMap)
    for part in members:
        ordinals[part["space"]] |= decode(base64.b64decode(part["ordinals"]))
    for one in places:
        for space, ordinal in one:
            ordinals[space].add(ordinal)
    return [members_of(space, ordinals[space]) for space in sorted(ordinals)]


def members_of(space: int, ordinals: BitMap) -> dict[str, Any]:
    """Return members as an event is kept with them."""
    return {"space": space, "ordinals": base64.b64encode(encode(ordinals)).decode("ascii")}
