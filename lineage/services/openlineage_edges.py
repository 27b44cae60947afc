"""Judge what a run outside made, and all that came from it, by what is barred."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lineage.models import ModelVersion, Run, RunOutput
from lineage.services.rejudging import judge_after, take_out
from lineage.services.run_closing import born_affected, weakest_guarantee
from lineage.services.told_edges import connect, written_by

if TYPE_CHECKING:
    from datetime import datetime
    from typing import Any

__all__ = ["connect", "judge"]


def judge(run: Run, now: datetime, *, written: set[int] | None = None) -> None:
    """Take versions out of use that learned from what is restricted or erased by now.

    Those of the run, and those that came from what it wrote, versions or data, by whatever way.

    Args:
        run: which is complete.
        now: when.
        written: what ``connect`` has just returned of it, or None to look it up.
    """
    if weak := weakest_guarantee(run, ""):
        _made(run).update(guarantee=weak)
    made = list(_made(run))
    if born := born_affected(run) if made else None:
        for version in made:
            if version.kind != ModelVersion.Kind.SHADOW:
                take_out(version, *born, now)
                version.save(update_fields=["state", "invalidated_at", "metrics"])
    judge_after(nodes=written_by(run) if written is None else written, now=now)


def _made(run: Run) -> Any:  # noqa: ANN401  (a queryset)
    written = RunOutput.objects.filter(run=run).values("node__object_id")
    return ModelVersion.objects.filter(id__in=written)
