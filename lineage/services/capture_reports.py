"""Take down what trainings outside report: every call may come twice, late, or out of turn.

A run and its version are named by the client, so a repeated call finds what the first one made.
A run whose client has gone silent is INCOMPLETE; if it was merely cut off, its late end counts.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NamedTuple

from django.db import transaction
from django.db.models import Max

from expunge.wire import version_of
from lineage.core import first_steps
from lineage.core.bitmaps import BitmapUnreadable, decode, encode, read, union
from lineage.models import CaptureReport, ModelVersion, Run
from lineage.queries.capture_reports import Told, check_owner, told
from lineage.queries.standing import barred_records
from lineage.services.locking import lock_name, lock_spaces
from lineage.services.report_rewriting import put_used, spaces_read, taken_out
from lineage.services.run_closing import RunNotOpen
from lineage.services.run_plans import RunPlan, RunResult
from lineage.services.runs import begin_run, fail_run, finish_run

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime, timedelta

    from pyroaring import BitMap

SILENT = "SILENT"
HERE = "\n"  # owner of what this platform trains itself: no name of a key


class NotThisRun(ValueError):
    """The report does not fit what was reported of the run before."""


class RanksMissing(RuntimeError):
    """The training has not ended everywhere yet; ask again later."""


@dataclass(frozen=True, kw_only=True)
class Ending:
    """What a rank says when it ends.

    ``used`` is portable Roaring; ``first_steps`` as in ``lineage.core.first_steps``, or empty.
    Model name, weights, metrics, ``release`` and ``seconds`` are those of rank 0.
    """

    rank: int
    used: bytes = field(repr=False)
    first_steps: bytes = field(default=b"", repr=False)
    sampler: Mapping[str, Any] = field(default_factory=dict)
    model_name: str = ""
    weights: bytes = field(default=b"", repr=False)
    metrics: Mapping[str, Any] = field(default_factory=dict)
    release: bool = True
    seconds: float | None = None


@transaction.atomic
def begin_reported(
    *, plan: RunPlan, owner: str, rank: int, ranks: int, at: datetime, now: datetime
) -> Told:
    """Open the run that ``plan`` names, unless another call or another rank has.

    Args:
        plan: with ``run_id`` and one TRAINING snapshot.
        owner: the name of the API key; only keys of that name may go on with the run.
        rank: of the process that reports, from 0.
        ranks: how many processes train together.
        at: when the training began by its own clock; the run never begins in the future.
        now: when the report came.

    Raises:
        SourceNotUsable: as ``begin_run``.
        NotYourRun: another rank began it with a key of another name.
        NotThisRun: the run is not of this kind, or was said to have another number of ranks.
    """
    run_id = plan.run_id or uuid.uuid4()
    lock_name(f"run:{run_id}")
    check_owner(run_id, owner=owner)
    if not 0 <= rank < ranks:
        raise NotThisRun(f"The rank is {rank}; with {ranks} ranks it is 0 to {ranks - 1}.")
    run = Run.objects.filter(id=run_id).first()
    if run is None:
        run = begin_run(plan=replace(plan, run_id=run_id), now=min(at, now))
    elif set(run.reports.values_list("ranks", flat=True)) != {ranks}:
        raise NotThisRun(
            f"The run {run.id} exists already and is not one of {ranks} ranks reported over HTTP."
        )
    # A purge either finds this report or has rewritten the snapshot before it is read below.
    lock_spaces(spaces_read(run).values_list("id", flat=True))
    CaptureReport.objects.get_or_create(
        run=run,
        rank=rank,
        defaults={
            "owner": owner,
            "ranks": ranks,
            "heard_at": now,
            "barred": encode(barred_records(run)),
            "sampler": dict(plan.sampler),
        },
    )
    return told(run.id, rank=rank)


def hear(*, run_id: uuid.UUID, owner: str, rank: int, now: datetime) -> Told:
    """Note that a rank is alive, and say what became of its run.

    Raises RunNotReported, NotYourRun.
    """
    check_owner(run_id, owner=owner)
    answer = told(run_id, rank=rank)
    CaptureReport.objects.filter(run=run_id, rank=rank).update(heard_at=now)
    return answer


def fail_reported(*, run_id: uuid.UUID, owner: str, rank: int, reason: str, now: datetime) -> Told:
    """Mark the run as INCOMPLETE; one that has ended stays as it is.

    Raises RunNotReported, NotYourRun.
    """
    check_owner(run_id, owner=owner)
    told(run_id, rank=rank)
    fail_run(run=Run.objects.get(id=run_id), now=now, reason=reason)
    return told(run_id, rank=rank)


def finish_reported(*, run_id: uuid.UUID, owner: str, ending: Ending, now: datetime) -> Told:
    """Take down what a rank used; with rank 0, and all others before it, write the version.

    Raises:
        RunNotReported: nothing was said of the run before.
        NotYourRun: it was begun with a key of another name.
        BitmapUnreadable, StepsUnreadable: what was used cannot be read.
        NotThisRun: the rank reported other records before, or rank 0 brings no weights.
        RanksMissing: other ranks have not ended; what this one used is kept.
        OrdinalsUnknown, StoreFull, StoreNotWritable: as ``finish_run``.
    """
    check_owner(run_id, owner=owner)
    answer = told(run_id, rank=ending.rank)
    if answer.state == Run.State.COMPLETE:
        return answer
    own = _keep_part(run_id, ending, now)
    if ending.rank:
        return told(run_id, rank=ending.rank)
    reports = list(CaptureReport.objects.filter(run=run_id).order_by("rank"))
    done = [report for report in reports if report.used is not None]
    if len(done) < answer.ranks:
        raise RanksMissing(f"{len(done)} of {answer.ranks} ranks have ended; send this again.")
    run = _opened_again(run_id, now)
    result = _result(run, ending, own, [report for report in reports if report.rank])
    try:
        finish_run(run=run, result=result, now=now)
    except RunNotOpen:  # the same report came twice at once, and the other was faster
        if not ModelVersion.objects.filter(id=version_of(run_id)).exists():
            raise
    # The snapshot holds it now; a purge that rewrites bits must not have to look here.
    CaptureReport.objects.filter(run=run_id).update(used=None, first_steps=None)
    return told(run_id, rank=ending.rank)


@transaction.atomic
def _keep_part(run_id: uuid.UUID, ending: Ending, now: datetime) -> _Part:
    """Keep what a rank used, and return it: what is kept has lost what was erased by now."""
    used = read(ending.used)
    if not used:
        raise BitmapUnreadable("No record was used: that would claim it learned from nobody.")
    if ending.first_steps:
        first_steps.decode(ending.first_steps, used)
    report = CaptureReport.objects.select_for_update().get(run=run_id, rank=ending.rank)
    gone = taken_out(report)
    if report.used is not None and decode(bytes(report.used)) != used - gone:
        raise NotThisRun(f"Rank {ending.rank} has reported other records of this run before.")
    if not gone:
        report.sampler = {**report.sampler, **ending.sampler}
        put_used(report, used, ending.first_steps)
    report.heard_at = now
    report.save()
    return _Part(used | gone, b"" if gone else ending.first_steps)


@transaction.atomic
def _opened_again(run_id: uuid.UUID, now: datetime) -> Run:
    """Return the run, RUNNING again if it was given up, with a note that says so."""
    run = Run.objects.select_for_update().get(id=run_id)
    if run.state == Run.State.INCOMPLETE:
        note = {
            "given_up_at": run.ended_at.isoformat() if run.ended_at else None,
            "because": run.sampler.get("failure"),
            "ended_at": now.isoformat(),
        }
        kept = {name: value for name, value in run.sampler.items() if name != "failure"}
        run.sampler, run.state, run.ended_at = {**kept, "late": note}, Run.State.RUNNING, None
        run.save()
    return run


class _Part(NamedTuple):
    """What a rank used, with its first steps if they are known."""

    used: BitMap
    first_steps: bytes


def _part(report: CaptureReport) -> _Part:
    gone = taken_out(report)
    used = decode(bytes(report.used or b""))
    return _Part(used | gone, b"" if gone else bytes(report.first_steps or b""))


def _result(run: Run, ending: Ending, own: _Part, reports: list[CaptureReport]) -> RunResult:
    if not ending.weights or not ending.model_name:
        raise NotThisRun("Rank 0 ends the run with the model's name and weights.")
    others = {str(report.rank): report.sampler for report in reports}
    parts = [own, *map(_part, reports)]
    return RunResult(
        model_name=ending.model_name,
        weights=ending.weights,
        metrics=ending.metrics,
        used=union(part.used for part in parts),
        release=ending.release,
        sampler={**ending.sampler, **({"ranks": others} if others else {})},
        seconds=ending.seconds,
        first_steps=_first_steps(parts),
        version_id=version_of(run.id),
    )


def _first_steps(parts: list[_Part]) -> bytes | None:
    """Return the earliest steps of all ranks; None unless every one of them told its own."""
    if not all(part.first_steps for part in parts):
        return None
    told = ((used, first_steps.decode(steps, used)) for used, steps in parts)
    return first_steps.encode(*first_steps.merged(told))


def watch_here(*, run: Run, barred: BitMap, now: datetime) -> None:
    """Let a training on this platform's own machine be given up as well when it goes silent."""
    CaptureReport.objects.create(run=run, owner=HERE, heard_at=now, barred=encode(barred))


def heard_here(*, run_id: uuid.UUID, now: datetime, beat: timedelta) -> None:
    """Note that such a training goes on, if nothing was noted for ``beat``."""
    quiet = CaptureReport.objects.filter(run=run_id, owner=HERE, heard_at__lt=now - beat)
    if quiet.exists():  # an update of nothing would still take a lock of SQLite
        quiet.update(heard_at=now)


def opened_if_silent(*, run_id: uuid.UUID, now: datetime) -> Run:
    """Return the run of such a training, RUNNING again if it was given up for its silence."""
    run = Run.objects.get(id=run_id)
    silent = run.state == Run.State.INCOMPLETE and run.sampler.get("failure") == SILENT
    return _opened_again(run_id, now) if silent else run


def give_up_silent(*, now: datetime, silence: timedelta) -> int:
    """Mark open runs as INCOMPLETE of which no rank was heard for ``silence``; say how many."""
    reported = Run.objects.filter(state=Run.State.RUNNING, reports__isnull=False)
    silent = reported.annotate(heard=Max("reports__heard_at")).filter(heard__lt=now - silence)
    runs = list(silent)
    for run in runs:
        fail_run(run=run, now=now, reason=SILENT)
    return len(runs)
