"""Whether the memory of a worker grows: real unlearning runs, one after the other, by one worker.

The worker is the product's own, with its own broker; each job runs in a child process, as always.
"""

from __future__ import annotations

import os
import time
import uuid
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.installation import prepared

if TYPE_CHECKING:
    from config.services.children import Child
    from lineage.models import DatasetSnapshot, Job, ModelVersion

WARM = 0.1  # share of the runs after which the memory of a worker that is warm is read
RECORDS = 600  # of the training, one for each run
PATIENCE = 900.0  # seconds without the end of any run, on a busy machine
PAGE = os.sysconf("SC_PAGE_SIZE")


def here(runs: int) -> dict[str, Any]:
    """Let the worker of long jobs do so many runs, each of which unlearns one record.

    Returns:
        Megabytes of the worker after the first run, once it is warm, and after the last; its job
        processes, which end with each job, are not counted.
    """
    prepared()
    import_module("config.celery")  # the broker of a worker: here a folder
    from django.conf import settings  # noqa: PLC0415  (Django is set up now)
    from django.core.management import call_command  # noqa: PLC0415

    from config.services.children import start, stop  # noqa: PLC0415
    from config.services.commands import heavy_worker  # noqa: PLC0415
    from lineage.models import ModelVersion  # noqa: PLC0415

    call_command("setup", verbosity=0)
    (settings.BROKER_FOLDER / "control").mkdir(parents=True, exist_ok=True)
    worker = start(heavy_worker(os.environ), log=settings.VAR / "worker.log")
    try:
        _ended([_train(_snapshot())], worker)
        version = ModelVersion.objects.get()
        sizes = _ended([_unlearn(version, number) for number in range(runs)], worker)
    finally:
        stop(worker, grace=30)
    made = ModelVersion.objects.exclude(pk=version.pk).count()
    warm = sizes[round(WARM * runs)]
    return {
        "runs": runs,
        "succeeded": made,
        "first_mb": sizes[0],
        "warm_mb": warm,
        "last_mb": sizes[-1],
        "most_mb": max(sizes),
        "grown_mb": round(sizes[-1] - warm, 2),
    }


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

    from audits.workflow.doorbell import ring  # noqa: PLC0415
    from lineage.services import jobs  # noqa: PLC0415
    from lineage.services.importing import ensure_dataset  # noqa: PLC0415
    from unlearning.services.runs import queue_run  # noqa: PLC0415

    now = timezone.now()
    run = queue_run(
        target=version,
        space=ensure_dataset(name="digits").space,
        forget=BitMap([record]),
        method="finetune",
        hyperparameters={"epochs": 1},
        seed=1,
        waiting=False,
        now=now,
    )
    job = jobs.create_job(
        key=f"unlearn:{run.pk}", kind="UNLEARN", queue="heavy", payload_id=run.pk, now=now
    )
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
