"""What was kept of trainings."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pyroaring import BitMap

from lineage.core.bitmaps import decode
from lineage.models import ModelVersion, OrdinalSpace
from lineage.queries.availability import purged_ordinals
from unlearning.models import HistoryFile, HistorySlice, TrainingHistory, UnlearningRun

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from uuid import UUID

    from django.db.models import QuerySet

    from lineage.models import Artefact


@dataclass(frozen=True, kw_only=True)
class Part:
    """A shard of a training: the records of its slices that are trained on, as ordinals.

    ``bounds`` counts the records of the first one, two, ... slices as there were at first.
    """

    number: int
    slices: tuple[BitMap, ...]
    bounds: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class InShards:
    """What each shard of a version was trained on, by number, as ordinals of one space."""

    space_id: int
    records: tuple[BitMap, ...]


def account_of(version: ModelVersion) -> bytes:
    """Return the account of the training of a version as a whole; empty if none was kept."""
    whole = TrainingHistory.objects.filter(version=version, shard=None)
    return bytes(next(iter(whole.values_list("account", flat=True)), b""))


def parts_of(version: ModelVersion) -> list[tuple[Part, bytes]]:
    """Return what was kept of the shards of a version, each with its account, by number."""
    histories = TrainingHistory.objects.filter(version=version, shard__isnull=False)
    return [
        (_part(history), bytes(history.account))
        for history in histories.order_by("shard").prefetch_related("slices")
    ]


def shards_of_versions(versions: Collection[UUID]) -> dict[UUID, InShards]:
    """Return the shards of those versions of which every shard can be rebuilt, in one look."""
    rows = HistorySlice.objects.filter(history__version__in=versions, history__shard__isnull=False)
    told = rows.exclude(history__account=b"").values_list(
        "history__version",
        "history__space",
        "history__shard",
        "history__version__generated_by__recipe_parameters__shards",
        "bitmap",
    )
    found: dict[tuple[UUID, int, int], dict[int, BitMap]] = {}
    for version, space, shard, count, blob in told:
        held = found.setdefault((version, space, count), {})
        number = int(shard or 0)
        held[number] = held.get(number, BitMap()) | decode(bytes(blob))
    return {
        version: InShards(space_id=space, records=tuple(held[number] for number in range(count)))
        for (version, space, count), held in found.items()
        if held.keys() == set(range(count or 0))
    }


def counts_of_shards(versions: QuerySet[ModelVersion]) -> dict[UUID, int]:
    """Return how many shards those versions have of which every shard can be rebuilt."""
    kept = TrainingHistory.objects.filter(version__in=versions, shard__isnull=False)
    told = kept.exclude(account=b"").values_list(
        "version", "version__generated_by__recipe_parameters__shards"
    )
    return {
        version: count
        for (version, count), there in Counter(told).items()
        if there == count  # a version has one history of a shard
    }


def seconds_of_trainings(versions: QuerySet[ModelVersion]) -> dict[UUID, float]:
    """Return what ``seconds_of_training`` says of each, where anybody measured it."""
    spent = dict(versions.values_list("pk", "generated_by__seconds"))
    unlearned = UnlearningRun.objects.filter(unlearned__in=versions)
    for version, replayed in unlearned.values_list("unlearned", "report__replay"):
        if version in spent:
            spent[version] = _whole(spent[version], replayed or {})
    return {version: seconds for version, seconds in spent.items() if seconds is not None}


def _whole(seconds: float | None, replayed: Mapping[str, Any]) -> float | None:
    if seconds is None or not replayed.get("sample_visits"):
        return seconds
    return float(seconds * replayed["of_training"] / replayed["sample_visits"])


def may_know_who_waits(run: UnlearningRun) -> bool:
    """Return whether what a run puts in place may know people who wait for a case of their own.

    So where it rebuilds some shards of a version that was in use until then: the others, and who
    is restricted there, are as they were.
    """
    in_use = run.interim_id is not None or run.target.state == ModelVersion.State.ACTIVE
    return in_use and bool(parts_named(str(run.pk)))


def parts_named(name: str) -> list[int]:
    """Return the numbers of the shards that a training of that name has histories of."""
    found = TrainingHistory.objects.filter(name__startswith=f"{name}/", shard__isnull=False)
    return [
        shard
        for shard in found.order_by("shard").values_list("shard", flat=True)
        if shard is not None
    ]


def _part(history: TrainingHistory) -> Part:
    slices = sorted(history.slices.all(), key=lambda each: each.number)
    return Part(
        number=history.shard or 0,
        slices=tuple(decode(bytes(each.bitmap)) for each in slices),
        bounds=tuple(each.bound for each in slices),
    )


def account_named(name: str) -> bytes:
    """Return the account of a training by its name; empty if there is none yet."""
    found = TrainingHistory.objects.filter(name=name).values_list("account", flat=True)
    return bytes(next(iter(found), b""))


def seconds_of_training(version: ModelVersion) -> float | None:
    """Return how long the training of a version took, None where nobody measured it.

    Where only a part was trained again, the whole takes as much longer as it has more visits.
    """
    seconds = version.generated_by.seconds
    reports = UnlearningRun.objects.filter(unlearned=version).values_list("report", flat=True)
    return _whole(seconds, next((report.get("replay", {}) for report in reports), {}))


def file_named(key: str) -> Artefact | None:
    """Return the living artefact under a key of an account."""
    found = HistoryFile.objects.select_related("artefact").filter(
        key=key, artefact__destroyed_at=None
    )
    return next((each.artefact for each in found), None)


def keys(prefix: str) -> list[str]:
    """Return the keys that begin like this, sorted."""
    found = HistoryFile.objects.filter(key__startswith=prefix, artefact__destroyed_at=None)
    return sorted(found.values_list("key", flat=True))


def erased_in_unfinished() -> dict[OrdinalSpace, BitMap]:
    """Return the erased ordinals of the spaces of trainings that gave no version yet."""
    unfinished = TrainingHistory.objects.filter(version=None).values("space")
    spaces = OrdinalSpace.objects.filter(id__in=unfinished)
    return {space: purged_ordinals(space) for space in spaces}
