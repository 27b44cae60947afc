"""How much of the registry is known well enough to answer for an erasure."""

from __future__ import annotations

from typing import Any

from django.db.models import Count

from lineage.models import Dataset, Run
from lineage.queries.closure import listed_versions


def coverage() -> dict[str, Any]:
    """Return what is captured and what is not, in counts and shares.

    * ``captured``: living versions by how the membership of their run is known;
    * ``share_captured``: of those whose membership is known at all; None without versions;
    * ``gaps``: versions of which nobody knows what they were trained on, runs that ended without
      a result or are still open, versions that cannot be trained again here, and data sets of
      which no snapshot was taken.
    """
    versions = listed_versions(include_shadows=False).order_by()
    levels = dict(versions.values_list("generated_by__capture_level").annotate(count=Count("id")))
    total = sum(levels.values())
    unknown = versions.filter(generated_by__capture_level=Run.Capture.NONE)
    return {
        "versions": total,
        "captured": {level: levels.get(level, 0) for level in Run.Capture.values},
        "share_captured": _share(total - levels.get(Run.Capture.NONE, 0), total),
        "gaps": {
            "not_captured": [str(version) for version in unknown.order_by("generated_at")],
            "runs_incomplete": Run.objects.filter(state=Run.State.INCOMPLETE).count(),
            "runs_open": Run.objects.filter(state=Run.State.RUNNING).count(),
            "without_recipe": _names(versions.filter(generated_by__recipe="")),
            "data_sets_without_snapshot": [
                str(dataset) for dataset in Dataset.objects.filter(snapshots=None).order_by("name")
            ],
        },
    }


def _names(versions: Any) -> list[str]:  # noqa: ANN401  (a queryset)
    return [str(version) for version in versions.order_by("model_name", "version")]


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 6) if whole else None
