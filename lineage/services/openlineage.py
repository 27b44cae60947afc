"""Take OpenLineage events in: each once, in any order, to one and the same graph.

What is stored of an event names data sets, versions and ordinals; paths are matched when it comes,
and only keyed digests of them are kept. The state of a run is a
function of all its events: an event that comes late adds what it says, and nothing that was known
is taken back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import IntegrityError, transaction

from lineage.core.openlineage import OWN_NAMESPACE, Event, Named, check_digest, parse
from lineage.models import Dataset, NamedLocation, OrdinalSpace, ReceivedEvent, Run
from lineage.services.locking import lock_name
from lineage.services.openlineage_graph import build, origin_of
from lineage.services.openlineage_late import match_run, members_of, with_members
from lineage.services.openlineage_locations import digests_of, keep_named, places_of
from lineage.services.openlineage_names import own_state, own_version
from lineage.services.snapshots import check_known

if TYPE_CHECKING:
    from datetime import datetime


class SpaceUnknown(LookupError):
    """A membership facet names an ordinal space that is not here."""


class RunTaken(ValueError):
    """An event speaks of a run that this platform, or another way in, has written."""


class VersionTaken(ValueError):
    """An event says that it wrote a model version of this platform's own registry."""


def receive(*, body: Any, now: datetime) -> bool:  # noqa: ANN401  (JSON)
    """Take one event in; False when it came before, or says nothing about a run.

    One that came before is matched again with records that were imported since.

    Raises:
        EventUnreadable: it is no event, or a facet cannot be read; nothing was stored.
        SpaceUnknown, RunTaken, VersionTaken, OrdinalsUnknown: as they say; nothing was stored.
    """
    event = parse(body)
    if event is None:
        return False
    new = _store(event, now)
    # After the commit: a record that was imported at the same time either finds the event's
    # locations or is found here.
    if NamedLocation.objects.filter(event__run_id=event.run).exists():
        match_run(run_id=event.run, now=now, event=event.sha256 if new else "")
    return new


@transaction.atomic
def _store(event: Event, now: datetime) -> bool:
    lock_name(f"run:{event.run}")
    _refuse_taken(event)
    if ReceivedEvent.objects.filter(sha256=event.sha256).exists():
        return False
    kept, locations = _kept(event)
    try:
        with transaction.atomic():
            ReceivedEvent.objects.create(
                sha256=event.sha256,
                run_id=event.run,
                event_type=event.type,
                event_time=event.time,
                received_at=now,
                body=kept,
            )
    except IntegrityError:  # the same event came twice at once
        return False
    keep_named(event.sha256, locations)
    build(run_id=event.run, now=now)
    return True


def _refuse_taken(event: Event) -> None:
    """A key that may report must not be able to rewrite what a training here has used."""
    known = Run.objects.filter(id=event.run).first()
    if known and known.external_id != origin_of(event.run):
        raise RunTaken(
            f"run.runId {event.run} is a run that did not come by OpenLineage; choose a new UUID."
        )
    for named in event.outputs:
        if named.model and own_version(named.namespace, named.name, named.version):
            raise VersionTaken(
                f"outputs: the model {named.name} with the version {named.version} in the "
                f"namespace {OWN_NAMESPACE} is of this platform's own registry; name what your "
                "run wrote in another namespace."
            )
        if not named.model and _taken_here(named):
            raise VersionTaken(
                f"outputs: the data set {named.name} has the version {named.version} already, "
                "which was taken by this platform; name what your run wrote by another version."
            )


def _taken_here(named: Named) -> bool:
    """Whether an output is a snapshot of ours: from outside nothing may be put behind it."""
    dataset = Dataset.objects.filter(namespace=named.namespace, name=named.name).first()
    taken = own_state(dataset, named.version) if dataset else None
    return taken is not None and not taken.external_version


def _kept(event: Event) -> tuple[dict[str, Any], list[tuple[int, bytes, bool]]]:
    """Return what is kept of an event, and each location by the place of its input."""
    locations: list[tuple[int, bytes, bool]] = []
    inputs = []
    for place, named in enumerate(event.inputs):
        digests = digests_of(named.locations)
        found = places_of(digests)
        members = with_members(_told(named), found.values())
        unmatched = len(digests) - len(found)
        inputs.append({**_one(named), "members": members, "unmatched": unmatched})
        locations += [(place, digest, digest in found) for digest in sorted(digests)]
    job_type = event.job_type.upper()
    kept = {
        "job": {"namespace": event.job_namespace, "name": event.job_name, "type": job_type},
        "sampler": dict(event.sampler),
        "inputs": inputs,
        "outputs": [_one(named) for named in event.outputs],
    }
    return kept, locations


def _one(named: Named) -> dict[str, Any]:
    return {
        "namespace": named.namespace,
        "name": named.name,
        "model": named.model,
        "version": named.version,
        "role": named.role,
    }


def _told(named: Named) -> list[dict[str, Any]]:
    """Return the members that the facet of an input tells."""
    if named.ordinals is None:
        return []
    space = _space(named.space)
    check_known(space, named.ordinals)
    check_digest(named)
    return [members_of(space.id, named.ordinals)]


def _space(name: str) -> OrdinalSpace:
    found = OrdinalSpace.objects.filter(name=name).first()
    if found is None:
        raise SpaceUnknown(
            "expunge_recordMembership.ordinalSpace must be the name of a space of this platform."
        )
    return found
