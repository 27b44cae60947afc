"""What the names of an event stand for: data sets, their states, and model versions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db.models import Max, Q
from pyroaring import BitMap

from lineage.core.bitmaps import split
from lineage.core.membership import snapshot_digest
from lineage.core.openlineage import OWN_NAMESPACE
from lineage.core.told_names import fitted, joined
from lineage.core.told_states import TOLD, UNKNOWN
from lineage.models import (
    Dataset,
    DatasetSnapshot,
    LineageNode,
    ModelVersion,
    Run,
)
from lineage.queries.told import TOLD_STATE
from lineage.services.locking import lock_name
from lineage.services.ordinals import space_of
from lineage.services.snapshots import Origin, record_snapshot

if TYPE_CHECKING:
    from datetime import datetime


_NOBODY = "unknown origin of "  # external id of the run that stands for one nobody told
_LONGEST_NUMBER = 9


def dataset_of(namespace: str, name: str) -> Dataset:
    """Return the data set of this very name, made with a space of its own if there is none."""
    found = Dataset.objects.filter(namespace=namespace, name=name).first()
    if found is not None:
        return found
    made, _ = Dataset.objects.get_or_create(
        namespace=namespace, name=name, defaults={"space": space_of(namespace, name)}
    )
    return made


def own_state(dataset: Dataset, version: str) -> DatasetSnapshot | None:
    """Return the snapshot of ours that a version names, whose members are all known.

    By its digest, or by one that it had before a hard purge.
    """
    if not version:
        return None
    known = DatasetSnapshot.objects.filter(dataset=dataset).exclude(TOLD_STATE)
    called = Q(external_version=version) | Q(digest=version)
    named = known.filter(called | Q(supersessions__previous_digest=version))
    return named.order_by("seq").first()


def state_of(dataset: Dataset, version: str, now: datetime) -> DatasetSnapshot:
    """Return the snapshot that a version names, else an empty one that stands for it."""
    return own_state(dataset, version) or state_written(dataset, version, now)


def state_written(dataset: Dataset, version: str, now: datetime) -> DatasetSnapshot:
    """Return the empty snapshot that stands for what was written as a version.

    Never one of ours, although one with that digest may have been taken since.
    """
    return _taken(dataset, None, fitted(UNKNOWN, version), now)


def told_members(
    dataset: Dataset, ordinals: BitMap, version: str, now: datetime
) -> DatasetSnapshot:
    """Return a snapshot of the members that were told of a state, taken now if there is none."""
    return _taken(dataset, ordinals, fitted(TOLD, version), now)


def _taken(
    dataset: Dataset, ordinals: BitMap | None, version: str, now: datetime
) -> DatasetSnapshot:
    known = DatasetSnapshot.objects.filter(dataset=dataset, external_version=version)
    if ordinals is not None:
        digest = snapshot_digest((chunk.number, chunk.sha256) for chunk in split(ordinals))
        known = known.filter(digest=digest)
    return known.order_by("seq").first() or record_snapshot(
        dataset=dataset,
        now=now,
        ordinals=BitMap() if ordinals is None else ordinals,
        origin=Origin(external_version=version),
    )


def own_version(namespace: str, name: str, version: str) -> ModelVersion | None:
    """Return the version of this platform's own registry that a name stands for, if any."""
    if namespace != OWN_NAMESPACE or not version.isdecimal() or len(version) > _LONGEST_NUMBER:
        return None
    return ModelVersion.objects.filter(
        model_name=name, version=int(version), external_id=""
    ).first()


def external_id(kept: dict[str, Any], version: str) -> str:
    """Return by what id a model of another registry is known here."""
    return fitted("openlineage:", joined(kept["namespace"], kept["name"], version))


def version_read(kept: dict[str, Any], at: datetime) -> ModelVersion:
    """Return a model that a run read at a time.

    One that is not known here has an origin nobody told, and is as old as its first use.
    """
    if own := own_version(kept["namespace"], kept["name"], kept["version"]):
        return own
    external = external_id(kept, kept["version"])
    known = ModelVersion.objects.select_related("generated_by").filter(external_id=external)
    found = known.first()
    if found is None:
        return _new_version(unknown_origin(external, at), kept, external, at)
    maker = found.generated_by
    if at < found.generated_at and maker.external_id.startswith(_NOBODY):
        found.generated_at = maker.started_at = at
        found.save(update_fields=["generated_at"])
        maker.save(update_fields=["started_at"])
    return found


def unknown_origin(external: str, at: datetime) -> Run:
    """Return a new run that stands for the one that made a version and that nobody told of."""
    return Run.objects.create(
        activity=Run.Activity.TRAIN,
        state=Run.State.COMPLETE,
        capture_level=Run.Capture.NONE,
        started_at=at,
        external_id=fitted(_NOBODY, external),
    )


def version_written(run: Run, kept: dict[str, Any], at: datetime) -> ModelVersion:
    """Return the model that a run wrote, which may have been read or written by others before.

    It is generated by the earliest of those that wrote it.
    """
    external = external_id(kept, kept["version"] or str(run.id))
    known = ModelVersion.objects.select_related("generated_by").filter(external_id=external)
    version = known.first()
    if version is None:
        return _new_version(run, kept, external, at)
    maker = version.generated_by
    stands_in = maker.external_id.startswith(_NOBODY)
    if stands_in or (at, run.id) < (version.generated_at, maker.id):
        version.generated_by, version.generated_at = run, at
        version.save(update_fields=["generated_by", "generated_at"])
    if stands_in:
        maker.delete()
    return version


def _new_version(run: Run, kept: dict[str, Any], external: str, at: datetime) -> ModelVersion:
    lock_name(f"model:{kept['name']}")  # as whoever closes a run here
    last = ModelVersion.objects.filter(model_name=kept["name"]).aggregate(last=Max("version"))
    version = ModelVersion.objects.create(
        model_name=kept["name"],
        version=int(last["last"] or 0) + 1,
        generated_by=run,
        generated_at=at,
        external_id=external,
    )
    LineageNode.objects.create(kind=LineageNode.Kind.MODEL, object_id=version.id)
    return version
