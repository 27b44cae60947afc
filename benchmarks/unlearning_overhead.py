"""``python -m benchmarks.unlearning_overhead --json``: what the platform adds to a method.

One unlearning job of a minute or more as a worker's child does it, without the start of the
process: restricted view, records, weights, progress, capture, storing. The time of the method
alone is what its own clock says in the same run.
"""

from __future__ import annotations

import statistics
import time
import uuid
from typing import Any

from benchmarks.command import run
from benchmarks.installation import in_both, prepared

RECIPE = "unlearning.recipes.digits:DigitsCNN"
FULL, QUICK = {"epochs": 60, "times": 1}, {"epochs": 3, "times": 1}


def measure(*, quick: bool) -> dict[str, Any]:
    """Return the overhead on both engines, in per cent of the method's own time."""
    chosen = QUICK if quick else FULL
    found = in_both("benchmarks.unlearning_overhead:jobs", chosen)
    worst = max(each["overhead_percent"] for each in found.values())
    return {"size": chosen, "overhead_percent": worst, **found}


def jobs(epochs: int, times: int) -> dict[str, Any]:
    """Train a version, unlearn a person from it so many times, and compare the clocks."""
    prepared()
    from unlearning.execution.running import execute_run  # noqa: PLC0415  (Django is set up now)

    target, space, forget = _trained()
    parts = []
    for number in range(times):
        job = _queued(target, space, forget, epochs, seed=number)
        started = time.perf_counter()
        execute_run(job)
        whole = time.perf_counter() - started
        parts.append((whole, _seconds(job)))
    whole, method = (statistics.median(column) for column in zip(*parts, strict=True))
    return {
        "job_seconds": round(whole, 2),
        "method_seconds": round(method, 2),
        "overhead_percent": round(100 * (whole - method) / method, 2),
    }


def _trained() -> tuple[Any, Any, Any]:
    from django.utils import timezone  # noqa: PLC0415
    from pyroaring import BitMap  # noqa: PLC0415

    from lineage.models import ModelVersion  # noqa: PLC0415
    from lineage.services.importing import Row, ensure_dataset, import_records  # noqa: PLC0415
    from lineage.services.snapshots import take_snapshot  # noqa: PLC0415
    from unlearning.execution.training import train_version  # noqa: PLC0415
    from unlearning.recipes.digits import digit_records  # noqa: PLC0415

    now = timezone.now()
    rows = [
        Row(
            line=line,
            key=str(line),
            subject=f"person{line // 20}@example.org",
            content=content,
            target=target,
            media_type="image/png",
        )
        for line, (content, target) in enumerate(digit_records())
    ]
    import_records(dataset_name="digits", rows=rows, now=now)
    dataset = ensure_dataset(name="digits")
    whole = BitMap(range(len(rows)))
    snapshot = take_snapshot(dataset=dataset, ordinals=whole, now=now)
    parameters = {
        "model_name": "digits",
        "recipe": RECIPE,
        "recipe_parameters": {"epochs": 2},
        "snapshot": str(snapshot.pk),
        "seed": 1,
    }
    train_version(_claimed("TRAIN", uuid.uuid4(), parameters))
    return ModelVersion.objects.get(model_name="digits"), dataset.space, BitMap(range(20))


def _queued(target: Any, space: Any, forget: Any, epochs: int, *, seed: int) -> Any:  # noqa: ANN401
    from django.utils import timezone  # noqa: PLC0415

    from unlearning.services import runs  # noqa: PLC0415

    queued = runs.queue_run(
        target=target,
        space=space,
        forget=forget,
        method="finetune",
        hyperparameters={"epochs": epochs},
        seed=seed,
        waiting=False,
        now=timezone.now(),
    )
    return _claimed("UNLEARN", queued.pk, {})


def _claimed(kind: str, payload: uuid.UUID, parameters: dict[str, Any]) -> Any:  # noqa: ANN401
    from datetime import timedelta  # noqa: PLC0415

    from django.utils import timezone  # noqa: PLC0415

    from lineage.services import jobs as queue  # noqa: PLC0415

    now = timezone.now()
    job = queue.create_job(
        key=str(uuid.uuid4()),
        kind=kind,
        queue="heavy",
        payload_id=payload,
        parameters=parameters,
        now=now,
    )
    return queue.claim_job(job_id=job.pk, now=now, lease=timedelta(hours=1))


def _seconds(job: Any) -> float:  # noqa: ANN401
    from unlearning.models import UnlearningRun  # noqa: PLC0415

    return float(UnlearningRun.objects.get(pk=job.payload_id).seconds or 0)


if __name__ == "__main__":
    run(measure, __doc__ or "")
