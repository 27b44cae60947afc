"""What every job of this package says of itself: its run in lineage, and its progress."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from django.utils import timezone

from expunge import environment
from lineage.models import Job, ModelVersion, Run
from lineage.services import jobs
from lineage.services import runs as lineage_runs
from unlearning.core.pace import Pace
from unlearning.execution import device

if TYPE_CHECKING:
    from collections.abc import Callable

    from unlearning.core.recipe import Recipe

PROGRESS_SECONDS = 1.0


def plan_of_run(
    job: Job,
    recipe: Recipe,
    activity: str,
    inputs: tuple[lineage_runs.Input, ...],
    seed: int,
    step: str = "",
) -> lineage_runs.RunPlan:
    """Return what lineage should know of a job's run, closing what a try that died left open.

    ``step`` names a run that is not the one that gives the result of the job.

    Raises:
        NoDevice: the device that the installation asks for is not here.
    """
    # A try that died left a run open: it must not look as if it were still going on.
    name = f"{job.pk}{step}"
    for left in Run.objects.filter(environment__job=name, state=Run.State.RUNNING):
        lineage_runs.fail_run(run=left, now=timezone.now())
    described = recipe.describe()
    return lineage_runs.RunPlan(
        activity=activity,
        inputs=inputs,
        capture_level=Run.Capture.SAMPLER,
        recipe=described["recipe"],
        recipe_parameters=described["parameters"],
        recipe_digest=recipe.digest(),
        seed=seed,
        environment={"job": name, **device.described(), **environment.fingerprint()},
    )


def earlier_result(job: Job, step: str = "") -> ModelVersion | None:
    """Return what an earlier try of this job, or of a step, produced before it could say so."""
    return ModelVersion.objects.filter(
        generated_by__environment__job=f"{job.pk}{step}", generated_by__state=Run.State.COMPLETE
    ).first()


def reporter(job: Job, phase: str, *, estimate: bool = False) -> Callable[[str, int, int], None]:
    """Return a progress callback that writes at most once a second.

    With ``estimate`` it says how much longer the rest takes, judged by what was done since it was
    first called.
    """
    last, pace = [0.0], Pace(clock=time.monotonic)

    def report(_: str, done: int, total: int) -> None:
        now = time.monotonic()
        left = pace.left(done, total) if estimate else ""
        if now - last[0] >= PROGRESS_SECONDS or done == total:
            last[0] = now
            jobs.report_progress(job=job, phase=phase, done=done, total=total, left=left)

    return report


def cancel_asked(job: Job) -> Callable[[], bool]:
    """Return a callback that looks, at most once a second, whether the job is to be cancelled."""
    last, asked = [time.monotonic()], [False]

    def cancelled() -> bool:
        now = time.monotonic()
        if not asked[0] and now - last[0] >= PROGRESS_SECONDS:
            last[0] = now
            asked[0] = Job.objects.filter(pk=job.pk, cancel_requested=True).exists()
        return asked[0]

    return cancelled
