"""Runs: what was executed, what it read and what it wrote."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal
from uuid import UUID

from ninja import Router, Schema

from lineage.api.auth import Scope
from lineage.api.pages import Asked, Order, PageOut, page_of
from lineage.api.versions import SourceOut, read
from lineage.queries.listings import run_called, runs, versions
from lineage.queries.version_page import sources_of

if TYPE_CHECKING:
    from django.http import HttpRequest

    from lineage.models import Run

router = Router(auth=Scope("lineage:read"), tags=["runs"])


class RunOut(Schema):
    """An execution. ``captured`` says how it is known what it read."""

    run: UUID
    activity: str
    state: str
    captured: str
    procedure: str
    recipe: str
    started_at: datetime
    ended_at: datetime | None
    seconds: float | None
    external_id: str


class RunsOut(PageOut):
    """Some runs, the newest first."""

    items: list[RunOut]


class WholeRunOut(RunOut):
    """A run with what it read, and the versions and snapshots that it wrote."""

    inputs: list[SourceOut]
    versions: list[UUID]
    snapshots: list[UUID]


@router.get("", response=RunsOut, operation_id="list_runs")
def list_runs(
    request: HttpRequest,
    asked: Asked,
    state: Literal["RUNNING", "COMPLETE", "INCOMPLETE"] | None = None,
) -> dict[str, Any]:
    """List the runs: trainings and whatever else read and wrote data or models."""
    found = runs().filter(state=state) if state else runs()
    return page_of(request, asked, found, Order("started_at"), _shown)


@router.get("/{run_id}", response=WholeRunOut, operation_id="show_run")
def show(request: HttpRequest, run_id: UUID) -> WholeRunOut:
    """Show a run with what it read and wrote."""
    run = run_called(run_id)
    return WholeRunOut(
        **_shown(run).dict(),
        inputs=[read(one) for one in sources_of(run)],
        versions=[one.pk for one in versions().filter(generated_by=run).order_by("version")],
        snapshots=[one.pk for one in run.generated_snapshots.order_by("seq")],
    )


def _shown(run: Run) -> RunOut:
    return RunOut(
        run=run.pk,
        activity=run.activity,
        state=run.state,
        captured=run.capture_level,
        procedure=str(run.procedure or ""),
        recipe=run.recipe,
        started_at=run.started_at,
        ended_at=run.ended_at,
        seconds=run.seconds,
        external_id=run.external_id,
    )
