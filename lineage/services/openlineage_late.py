"""Match events again when records come whose locations they named: late, but never lost.

Safe to call at any time and from many processes; again, it changes nothing. What a match shows is
judged like what an event tells: a version that turns out to have learned from an erased record is
quarantined.
"""

from __future__ import annotations

import base64
import json
from collections import defaultdict
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import Q
from pyroaring import BitMap

from lineage.core.bitmaps import decode, encode
from lineage.models import NamedLocation, ReceivedEvent
from lineage.queries.contents import batches
from lineage.services.location_rows import MATCHED, NO_LONGER_DUE, note, portions
from lineage.services.locking import lock_name, nobody_imports
from lineage.services.openlineage_graph import build
from lineage.services.openlineage_locations import (
    locations_of,
    note_known,
    places_of,
)

if TYPE_CHECKING:
    import uuid
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from lineage.models import OrdinalSpace
    from lineage.services.openlineage_locations import Places

    _Named = tuple[str, int, bytes, bool]  # event, place among its inputs, digest, matched


def match_late(*, now: datetime) -> int:
    """Match the events of which a location is known by now; return of how many runs."""
    due = NamedLocation.objects.filter(due=True).values_list("event__run_id", flat=True)
    return sum(match_run(run_id=run_id, now=now) for run_id in sorted(set(due)))


def match_before_erasure(*, space: OrdinalSpace, ordinals: BitMap, now: datetime) -> None:
    """Match what named the locations of some records, as long as these are still known.

    What was matched before is known already, and a hard purge may just have rewritten it.
    """
    for batch in batches(ordinals):
        note_known(locations_of(space, batch), matched=False)
    match_late(now=now)


@transaction.atomic
def match_run(*, run_id: uuid.UUID, now: datetime, event: str = "") -> bool:
    """Look for what the events of a run named and what was not found, or was added to, since.

    Args:
        run_id: of the run.
        now: when.
        event: SHA-256 of one of which everything is looked for again.

    Returns:
        Whether there was something new.
    """
    lock_name(f"run:{run_id}")
    # Asked before anything is looked for: what an import has not committed yet is not seen here,
    # nor may it have seen the event. Then all stays due, and whoever looks next finds it.
    quiet = nobody_imports()
    rows = NamedLocation.objects.filter(
        Q(matched=False) | Q(due=True) | Q(event=event), event__run_id=run_id
    )
    listed = rows.values_list("event_id", "place", "digest", "matched")
    named = [(of, place, bytes(one), matched) for of, place, one, matched in listed.iterator()]
    sought = {one for _, _, one, _ in named}
    found = places_of(sought)
    here = [row for row in named if row[2] in found]
    changed = bool(here) and _write(run_id, here, found)
    if changed:
        build(run_id=run_id, now=now)
    # Last: whoever imports locks a space first and these rows then.
    note(run_id, MATCHED, found)
    if quiet:
        _no_longer_due(run_id, sought, found)
    return changed


def _no_longer_due(run_id: uuid.UUID, sought: Iterable[bytes], found: Places) -> None:
    """Note what was looked for, except where an import has put something there since."""
    rows = NamedLocation.objects.filter(event__run_id=run_id)
    if not note(run_id, NO_LONGER_DUE, sought):
        return
    later = places_of(sought)
    added = [one for one in later if set(later[one]) - set(found.get(one, ()))]
    for batch in portions(added):
        rows.filter(digest__in=batch).update(due=True)


def _write(run_id: uuid.UUID, named: Iterable[_Named], found: Places) -> bool:
    """Write what was found into the events; return whether that changed any of them."""
    by_input: dict[tuple[str, int], list[tuple[bytes, bool]]] = defaultdict(list)
    for of, place, digest, matched in named:
        by_input[of, place].append((digest, matched))
    changed = False
    for event in ReceivedEvent.objects.filter(run_id=run_id):
        before = json.dumps(event.body)
        for place, kept in enumerate(event.body["inputs"]):
            if here := by_input.get((event.sha256, place), []):
                places = (found[digest] for digest, _ in here)
                kept["members"] = with_members(kept["members"], places)
                kept["unmatched"] -= sum(not matched for _, matched in here)
        if json.dumps(event.body) != before:
            event.save(update_fields=["body"])
            changed = True
    return changed


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
