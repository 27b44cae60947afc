"""``python -m benchmarks.unlearning_overhead --json``: what the platform adds to a method.

One unlearning job of a minute or more as a worker's child does it, without the start of the
process: restricted view, records, weights, progress, capture, storing. Beside it, in the same run,
the same method on the same examples held as tensors, with nobody to report to.
"""

from __future__ import annotations

import time
import uuid
from typing import Any

from benchmarks.command import run
from benchmarks.installation import in_both, prepared

PEOPLE = 20  # records of the one who leaves
RECIPE = "unlearning.recipes.digits:DigitsCNN"
FULL, QUICK = {"epochs": 100, "copies": 15}, {"epochs": 3, "copies": 1}


def measure(*, quick: bool) -> dict[str, Any]:
    """Return the overhead on both engines, in per cent of the method's own time."""
    chosen = QUICK if quick else FULL
    found = in_both("benchmarks.unlearning_overhead:jobs", chosen)
    worst = max(each["overhead_percent"] for each in found.values())
    return {"size": chosen, "overhead_percent": worst, **found}


def jobs(epochs: int, copies: int) -> dict[str, Any]:
    """Train on copies of the digits, unlearn a person from that version, and time both ways."""
    prepared()
    from unlearning.execution.running import execute_run  # noqa: PLC0415  (Django is set up now)

    target, space, forget = _trained(copies)
    job = _queued(target, space, forget, epochs)
    started = time.perf_counter()
    execute_run(job)
    whole = time.perf_counter() - started
    method = _alone(target, epochs, copies)
    return {
        "job_seconds": round(whole, 2),
        "method_seconds": round(method, 2),
        "overhead_percent": round(100 * (whole - method) / method, 2),
    }


def _alone(target: Any, epochs: int, copies: int) -> float:  # noqa: ANN401
    """Return the seconds that the method takes without the platform."""
    import torch  # noqa: PLC0415

    from unlearning.core.context import Context  # noqa: PLC0415
    from unlearning.core.examples import Held  # noqa: PLC0415
    from unlearning.execution.loading import load_version, recipe_of  # noqa: PLC0415
    from unlearning.methods.finetune import Finetune  # noqa: PLC0415

    recipe, model = recipe_of(target), load_version(target)
    decoded = [recipe.decode(content, label) for content, label in _records(copies)]
    tensors = (torch.stack(each) for each in zip(*decoded[PEOPLE:], strict=True))
    retain = Held(torch.utils.data.TensorDataset(*tensors))
    method = Finetune(epochs=epochs)
    started = time.perf_counter()
    method.apply(model, retain, retain, Context(recipe=recipe))
    return time.perf_counter() - started


def _records(copies: int) -> list[tuple[bytes, str]]:
    from unlearning.recipes.digits import digit_records  # noqa: PLC0415

    return list(digit_records()) * copies


def _trained(copies: int) -> tuple[Any, Any, Any]:
    from django.utils import timezone  # noqa: PLC0415
    from pyroaring import BitMap  # noqa: PLC0415

    from lineage.models import ModelVersion  # noqa: PLC0415
    from lineage.services.importing import Row, ensure_dataset, import_records  # noqa: PLC0415
    from lineage.services.snapshots import take_snapshot  # noqa: PLC0415
    from unlearning.execution.training import train_version  # noqa: PLC0415

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
        for line, (content, target) in enumerate(_records(copies))
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
    return ModelVersion.objects.get(model_name="digits"), dataset.space, BitMap(range(PEOPLE))


def _queued(target: Any, space: Any, forget: Any, epochs: int) -> Any:  # noqa: ANN401
    from django.utils import timezone  # noqa: PLC0415

    from unlearning.services import runs  # noqa: PLC0415

    queued = runs.queue_run(
        target=target,
        space=space,
        forget=forget,
        method="finetune",
        hyperparameters={"epochs": epochs},
        seed=0,
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


if __name__ == "__main__":
    run(measure, __doc__ or "")
