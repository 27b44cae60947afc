"""Whether the memory of a worker grows: real jobs, one after the other, by one real worker.

    python -m benchmarks.load_memory --json [--quick]

500 unlearning runs by the worker of long jobs, which take an hour; `benchmarks/load.py` has 50 of
them, and 500 quick jobs by the other worker. The workers are the product's own, with their own
broker; each job runs in a child process, as always.
"""

from __future__ import annotations

import os
import time
import uuid
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.command import run
from benchmarks.installation import in_one, prepared

if TYPE_CHECKING:
    from collections.abc import Iterator

    from config.services.children import Child, Command
    from lineage.models import DatasetSnapshot, Job, ModelVersion

RUNS, RUNS_QUICK = {"jobs": 0, "runs": 500}, {"jobs": 0, "runs": 5}
MOST_MB = 10.0
WARM = 0.1  # share of the jobs after which the memory of a worker that is warm is read
RECORDS = 600  # of the training, one for each run
PATIENCE = 900.0  # seconds without the end of any job, on a busy machine
PAGE = os.sysconf("SC_PAGE_SIZE")


def measure(*, quick: bool = False) -> dict[str, Any]:
    """Return what the worker of long jobs took in memory, and what was missed."""
    place = "benchmarks.load_memory:here"
    found: dict[str, Any] = in_one("sqlite", place, RUNS_QUICK if quick else RUNS)
    grown = found["grown_mb"]
    missed = [] if grown <= MOST_MB else [f"grown_mb: {grown}, allowed is {MOST_MB}"]
    return {**found, "missed": missed}


def here(jobs: int, runs: int) -> dict[str, Any]:
    """Let one worker do so many quick jobs, another so many runs that each unlearn a record.

    Returns:
        Megabytes of each worker after its first job, once it is warm, and after the last; its job
        processes, which end with each job, are not counted.
    """
    prepared()
    import_module("config.celery")  # the broker of a worker: here a folder
    from django.conf import settings  # noqa: PLC0415  (Django is set up now)
    from django.core.management import call_command  # noqa: PLC0415

    from config.services.commands import heavy_worker, light_worker  # noqa: PLC0415
    from lineage.models import ModelVersion  # noqa: PLC0415

    call_command("setup", verbosity=0)
    (settings.BROKER_FOLDER / "control").mkdir(parents=True, exist_ok=True)
    workers: dict[str, Any] = {}
    if jobs:
        with _working(light_worker(os.environ)) as worker:
            workers["light"] = _told(_ended([_tiles(number) for number in range(jobs)], worker))
    if runs:
        with _working(heavy_worker(os.environ)) as worker:
            _ended([_train(_snapshot())], worker)
            version = ModelVersion.objects.get()
            long = _ended([_unlearn(version, number) for number in range(runs)], worker)
        made = ModelVersion.objects.exclude(pk=version.pk).count()
        workers["heavy"] = {**_told(long), "unlearned_versions": made}
    return {"grown_mb": max(one["grown_mb"] for one in workers.values()), **workers}


@contextmanager
def _working(command: Command) -> Iterator[Child]:
    from django.conf import settings  # noqa: PLC0415  (Django is set up now)

    from config.services.children import start, stop  # noqa: PLC0415

    worker = start(command, log=settings.VAR / "worker.log")
    try:
        yield worker
    finally:
        stop(worker, grace=30)


def _told(sizes: list[float]) -> dict[str, Any]:
    warm = sizes[round(WARM * len(sizes))]
    return {
        "jobs": len(sizes),
        "first_mb": sizes[0],
        "warm_mb": warm,
        "last_mb": sizes[-1],
        "most_mb": max(sizes),
        "grown_mb": round(sizes[-1] - warm, 2),
    }


def _tiles(group: int) -> Job:
    from lineage.services.importing import ensure_dataset  # noqa: PLC0415  (Django is set up now)

    space = ensure_dataset(name="faces").space
    return _rung(
        key=f"tiles:{space.public_id}:{group}",
        kind="TILES",
        queue="lineage",
        payload_id=space.public_id,
        parameters={"group": 0},
    )


def _snapshot() -> DatasetSnapshot:
    from django.utils import timezone  # noqa: PLC0415  (Django is set up now)
    from pyroaring import BitMap  # noqa: PLC0415

    from lineage.services.importing import Row, ensure_dataset, import_records  # noqa: PLC0415
    from lineage.services.snapshots import take_snapshot  # noqa: PLC0415
    from unlearning.recipes.digits import digit_records  # noqa: PLC0415

    now = timezone.now()
    rows = [
        Row(
            line=place + 2,
            key=str(place),
            subject=f"person{place}@example.org",
            content=content,
            target=target,
            media_type="image/png",
        )
        for place, (content, target) in zip(range(RECORDS), digit_records(), strict=False)
    ]
    import_records(dataset_name="digits", rows=rows, now=now)
    dataset = ensure_dataset(name="digits")
    return take_snapshot(dataset=dataset, ordinals=BitMap(range(RECORDS)), now=now)


def _train(snapshot: DatasetSnapshot) -> Job:
    from audits import workflow  # noqa: PLC0415  (Django is set up now)

    parameters = {
        "model_name": "digits",
        "recipe": "unlearning.recipes.digits:DigitsMLP",
        "recipe_parameters": {
            "hidden": 8,
            "epochs": 2,
            "targets": [str(digit) for digit in range(10)],
        },
        "snapshot": str(snapshot.pk),
        "base": None,
        "seed": 3,
    }
    return workflow.train(key="train:digits", payload_id=uuid.uuid4(), parameters=parameters)


def _unlearn(version: ModelVersion, record: int) -> Job:
    from django.utils import timezone  # noqa: PLC0415  (Django is set up now)
    from pyroaring import BitMap  # noqa: PLC0415

    from lineage.services.importing import ensure_dataset  # noqa: PLC0415
    from unlearning.services.runs import queue_run  # noqa: PLC0415

    run = queue_run(
        target=version,
        space=ensure_dataset(name="digits").space,
        forget=BitMap([record]),
        method="finetune",
        hyperparameters={"epochs": 1},
        seed=1,
        waiting=False,
        now=timezone.now(),
    )
    return _rung(key=f"unlearn:{run.pk}", kind="UNLEARN", queue="heavy", payload_id=run.pk)


def _rung(**fields: Any) -> Job:  # noqa: ANN401  (the fields of a job)
    from django.utils import timezone  # noqa: PLC0415  (Django is set up now)

    from audits.workflow.doorbell import ring  # noqa: PLC0415
    from lineage.services.jobs import create_job  # noqa: PLC0415

    job = create_job(**fields, now=timezone.now())
    ring(job)
    return job


def _ended(wanted: list[Job], worker: Child) -> list[float]:
    """Wait until all jobs have succeeded; return the worker's megabytes after each.

    Raises:
        RuntimeError: one failed, the worker ended, or nothing ended for ``PATIENCE`` seconds.
    """
    from lineage.models import Job  # noqa: PLC0415  (Django is set up now)

    jobs = Job.objects.filter(pk__in=[one.pk for one in wanted])
    sizes: list[float] = []
    last = time.monotonic()
    while len(sizes) < len(wanted):
        if failed := jobs.filter(status=Job.Status.FAILED).first():
            raise RuntimeError(f"A run failed: {failed.error_code}: {failed.error}")
        if not worker.alive or time.monotonic() - last > PATIENCE:
            raise RuntimeError(f"The worker {worker.ending}:\n{worker.last_lines(20)}")
        done = jobs.filter(status=Job.Status.SUCCEEDED).count()
        if done > len(sizes):
            sizes += [_resident(worker)] * (done - len(sizes))
            last = time.monotonic()
        time.sleep(0.2)
    return sizes


def _resident(worker: Child) -> float:
    """Return the megabytes that a worker's own processes have in memory, without its jobs."""
    own = worker.process.pid  # it leads its session
    found = 0
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            session = int((folder / "stat").read_text().rpartition(")")[2].split()[3])
            if session == own and b"celery" in (folder / "cmdline").read_bytes():
                found += int((folder / "statm").read_text().split()[1]) * PAGE
        except OSError:  # it ended meanwhile
            continue
    return round(found / 1e6, 2)


if __name__ == "__main__":
    run(measure, __doc__ or "")
