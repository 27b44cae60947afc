"""Take OpenLineage events in: each once, in any order, to one and the same graph.

What is stored of an event names data sets, versions and ordinals; paths and keys are matched when
it comes and then forgotten. The state of a run is a function of all its events: an event that
comes late adds what it says, and nothing that was known is taken back.
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

from django.db import IntegrityError, transaction
from pyroaring import BitMap

from lineage import keys
from lineage.core.bitmaps import encode
from lineage.core.identifiers import location_digest
from lineage.core.openlineage import Event, Named, parse
from lineage.models import OrdinalSpace, ReceivedEvent, RecordLocation, Run
from lineage.services.locking import lock_name
from lineage.services.openlineage_graph import build, origin_of

if TYPE_CHECKING:
    from datetime import datetime

_AT_ONCE = 5_000


class SpaceUnknown(LookupError):
    """A membership facet names an ordinal space that is not here."""


class RunTaken(ValueError):
    """An event speaks of a run that this platform, or another way in, has written."""


def receive(*, body: Any, now: datetime) -> bool:  # noqa: ANN401  (JSON)
    """Take one event in; False when it came before, or says nothing about a run.

    Raises:
        EventUnreadable: it is no event, or a facet cannot be read; nothing was stored.
        SpaceUnknown, RunTaken: as they say; nothing was stored.
    """
    event = parse(body)
    if event is None:
        return False
    with transaction.atomic():
        lock_name(f"run:{event.run}")
        _refuse_taken(event)
        if ReceivedEvent.objects.filter(sha256=event.sha256).exists():
            return False
        try:
            with transaction.atomic():
                ReceivedEvent.objects.create(
                    sha256=event.sha256,
                    run_id=event.run,
                    event_type=event.type,
                    event_time=event.time,
                    received_at=now,
                    body=_kept(event),
                )
        except IntegrityError:  # the same event came twice at once
            return False
        build(run_id=event.run, now=now)
    return True


def _refuse_taken(event: Event) -> None:
    """A key that may report must not be able to rewrite what a training here has used."""
    known = Run.objects.filter(id=event.run).first()
    if known and known.external_id != origin_of(event.run):
        raise RunTaken(
            f"run.runId {event.run} is a run that did not come by OpenLineage; choose a new UUID."
        )


def _kept(event: Event) -> dict[str, Any]:
    return {
        "job": {
            "namespace": event.job_namespace,
            "name": event.job_name,
            "type": event.job_type.upper(),
        },
        "sampler": dict(event.sampler),
        "inputs": [_one(named) for named in event.inputs],
        "outputs": [_one(named) for named in event.outputs],
    }


def _one(named: Named) -> dict[str, Any]:
    kept: dict[str, Any] = {
        "namespace": named.namespace,
        "name": named.name,
        "model": named.model,
        "version": named.version,
        "role": named.role,
    }
    if named.ordinals is not None:
        space = _space(named.space)
        return {**kept, "members": _members(space, named.ordinals, unmatched=0)}
    if named.locations:
        return {**kept, "members": _matched(named)}
    return kept


def _space(name: str) -> OrdinalSpace:
    found = OrdinalSpace.objects.filter(name=name).first()
    if found is None:
        raise SpaceUnknown(
            "expunge_recordMembership.ordinalSpace must be the name of a space of this platform."
        )
    return found


def _members(space: OrdinalSpace, ordinals: BitMap, *, unmatched: int) -> dict[str, Any]:
    return {
        "space": space.id,
        "ordinals": base64.b64encode(encode(ordinals)).decode("ascii"),
        "unmatched": unmatched,
    }


def _matched(named: Named) -> dict[str, Any]:
    """Match files with the records that were imported from them; count what is not known."""
    key = keys.get_or_create("location")
    digests = {location_digest(key, location) for location in named.locations}
    found: dict[int, list[int]] = {}
    matched = 0
    listed = sorted(digests)
    for start in range(0, len(listed), _AT_ONCE):
        rows = RecordLocation.objects.filter(digest__in=listed[start : start + _AT_ONCE])
        for space, ordinal in rows.values_list("space_id", "ordinal"):
            found.setdefault(space, []).append(ordinal)
            matched += 1
    if not found:
        return {"space": None, "ordinals": "", "unmatched": len(digests)}
    space, ordinals = max(found.items(), key=lambda pair: len(pair[1]))
    return _members(
        OrdinalSpace.objects.get(id=space),
        BitMap(ordinals),
        unmatched=len(digests) - len(ordinals),
    )
