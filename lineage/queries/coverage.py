"""How much of the registry is known well enough to answer for an erasure."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any, NamedTuple

from lineage.models import Dataset, DatasetSnapshot, LineageNode, Role, Run, RunInput
from lineage.queries.closure import listed_versions

if TYPE_CHECKING:
    import uuid
    from collections.abc import Iterable

_UNKNOWN = Run.Capture.NONE


class _Known(NamedTuple):
    """A living version, and how the membership of its run is known."""

    model: str
    number: int
    run: uuid.UUID
    level: str
    recipe: str

    @property
    def name(self) -> str:
        return f"{self.model} v{self.number}"


def coverage() -> dict[str, Any]:
    """Return what is captured and what is not, in counts and shares.

    * ``captured``: living versions by how the membership of their run is known;
    * ``share_captured``: of those whose membership is known at all; None without versions;
    * ``models``, ``data_sets``: the same for each model, and for each data set of which a version
      or a run read something (one that read several counts for each);
    * ``gaps``: versions of which nobody knows what they were trained on, those of which it is not
      even said on which data set, runs that ended without a result or are still open, versions
      that cannot be trained again here, and data sets of which no snapshot was taken.
    """
    versions = _versions()
    readers = _readers()
    return {
        **_counted(versions, not_captured=False),
        "models": _models(versions),
        "data_sets": _data_sets(versions, readers),
        "gaps": {
            "not_captured": _names(_blind(versions)),
            "without_data_set": _names(_blind(versions), besides=set().union(*readers.values())),
            "runs_incomplete": Run.objects.filter(state=Run.State.INCOMPLETE).count(),
            "runs_open": Run.objects.filter(state=Run.State.RUNNING).count(),
            "without_recipe": _names(one for one in versions if not one.recipe),
            "data_sets_without_snapshot": [
                str(dataset) for dataset in Dataset.objects.filter(snapshots=None).order_by("name")
            ],
        },
    }


def _versions() -> list[_Known]:
    rows = listed_versions(include_shadows=False).order_by("model_name", "version")
    run = ("generated_by", "generated_by__capture_level", "generated_by__recipe")
    return [_Known(*row) for row in rows.values_list("model_name", "version", *run)]


def _readers() -> dict[uuid.UUID, set[uuid.UUID]]:
    """Return the runs that read something of a data set, by data set; a forget set is not read."""
    owners = dict(DatasetSnapshot.objects.values_list("id", "dataset_id"))
    read = RunInput.objects.filter(node__kind=LineageNode.Kind.SNAPSHOT).exclude(role=Role.FORGET)
    readers: dict[uuid.UUID, set[uuid.UUID]] = defaultdict(set)
    for run, snapshot in read.values_list("run_id", "node__object_id").iterator():
        readers[owners[snapshot]].add(run)
    return readers


def _models(versions: list[_Known]) -> list[dict[str, Any]]:
    by_model: dict[str, list[_Known]] = defaultdict(list)
    for one in versions:
        by_model[one.model].append(one)
    return [{"model": name, **_counted(found)} for name, found in sorted(by_model.items())]


def _data_sets(
    versions: list[_Known], readers: dict[uuid.UUID, set[uuid.UUID]]
) -> list[dict[str, Any]]:
    runs = Run.objects.exclude(activity=Run.Activity.SHADOW)
    levels = dict(runs.values_list("id", "capture_level"))
    return [
        {
            "data_set": str(dataset),
            "runs": _by_level(levels[run] for run in readers[dataset.id] if run in levels),
            **_counted([one for one in versions if one.run in readers[dataset.id]]),
        }
        for dataset in Dataset.objects.filter(id__in=readers).order_by("namespace", "name")
    ]


def _counted(versions: list[_Known], *, not_captured: bool = True) -> dict[str, Any]:
    blind = _blind(versions)
    share = round(1 - len(blind) / len(versions), 6) if versions else None
    return {
        "versions": len(versions),
        "captured": _by_level(one.level for one in versions),
        "share_captured": share,
        **({"not_captured": _names(blind)} if not_captured else {}),
    }


def _by_level(levels: Iterable[str]) -> dict[str, int]:
    count = Counter(levels)
    return {level: count[level] for level in Run.Capture.values}


def _blind(versions: list[_Known]) -> list[_Known]:
    return [one for one in versions if one.level == _UNKNOWN]


def _names(versions: Iterable[_Known], besides: Iterable[uuid.UUID] = ()) -> list[str]:
    known = set(besides)
    return [one.name for one in versions if one.run not in known]
