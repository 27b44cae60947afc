"""What is known of a run that a training outside reports."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lineage.core.bitmaps import decode
from lineage.models import CaptureReport, ModelVersion
from lineage.queries.standing import barred_records

if TYPE_CHECKING:
    import uuid


class RunNotReported(LookupError):
    """Nothing was reported of such a run, or not by this rank."""


class NotYourRun(PermissionError):
    """A run was begun with a key of another name."""


@dataclass(frozen=True, kw_only=True)
class Told:
    """The state of a run, as its training is told.

    ``restricted`` counts the records of its data that became restricted since it began;
    ``version_state`` is empty until there is a version.
    """

    run: uuid.UUID
    state: str
    ranks: int
    restricted: int
    version: uuid.UUID | None = None
    version_state: str = ""
    born_affected: bool = False


def check_owner(run_id: uuid.UUID, *, owner: str) -> None:
    """Check that a run was begun with a key of this name, where it was begun at all.

    By name and not by key: a key may end, and be followed by another, while a training goes on.

    Raises:
        NotYourRun: it was begun with a key of another name.
    """
    begun = CaptureReport.objects.filter(run=run_id).exclude(owner__in=["", owner])
    if begun.exists():
        raise NotYourRun(
            f"The run {run_id} was begun with an API key of another name than {owner!r}; report "
            "it with a key of the name that began it."
        )


def told(run_id: uuid.UUID, *, rank: int) -> Told:
    """Return what became of a run. Raises RunNotReported."""
    report = CaptureReport.objects.select_related("run").filter(run=run_id, rank=rank).first()
    if report is None:
        raise RunNotReported(f"Rank {rank} has not begun a run {run_id}; report its begin first.")
    version = ModelVersion.objects.filter(generated_by=run_id).first()
    return Told(
        run=run_id,
        state=report.run.state,
        ranks=report.ranks,
        restricted=0 if version else _restricted(report),
        version=version.id if version else None,
        version_state=version.state if version else "",
        born_affected=bool(version and version.metrics.get("born_affected")),
    )


def _restricted(report: CaptureReport) -> int:
    return len(barred_records(report.run) - decode(bytes(report.barred)))
