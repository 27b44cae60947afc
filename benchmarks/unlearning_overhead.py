"""``python -m benchmarks.unlearning_overhead --json``: what the platform adds to a method.

One unlearning job of a minute or more as a worker's child does it, without the start of the
process: restricted view, records, weights, progress, capture, storing. Beside it, in turn in the
same run, the same method with nobody to report to, on the same records held in memory as bytes,
which the recipe decodes. How long it takes where they are held as tensors is told beside it.
Seconds of the processor leave out what is waited for: the disk, a database server, other work.
``around_percent`` is what the job itself takes outside its call of the method, over that call: it
is free of the noise between two runs, and lacks what is done during the method, the progress.
"""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Any

from benchmarks.command import run
from benchmarks.installation import in_both, prepared

if TYPE_CHECKING:
    from collections.abc import Callable

PEOPLE = 20  # records of the one who leaves
RECIPE = "unlearning.recipes.digits:DigitsCNN"
FULL = {"epochs": 100, "copies": 15, "repeats": 3}
QUICK = {"epochs": 3, "copies": 1, "repeats": 1}


@dataclass(frozen=True, kw_only=True)
class InMemory:
    """A record as a view yields it, without a store behind it."""

    content: bytes
    target: str


@dataclass(frozen=True, kw_only=True)
class Taken:
    """Seconds by the clock, and of the processor."""

    wall: float
    processor: float


def measure(*, quick: bool) -> dict[str, Any]:
    """Return the overhead on both engines, in per cent of the method's own time."""
    chosen = QUICK if quick else FULL
    found = in_both("benchmarks.unlearning_overhead:jobs", chosen)
    worst = max(each["overhead_percent"] for each in found.values())
    return {"size": chosen, "overhead_percent": worst, **found}


def jobs(epochs: int, copies: int, repeats: int) -> dict[str, Any]:
    """Train on copies of the digits, unlearn a person from that version, and time both ways.

    The overhead is the median over pairs of one job and one run of the method alone.
    """
    prepared()
    from unlearning.execution.running import execute_run  # noqa: PLC0415  (Django is set up now)

    target, space, forget = _trained(copies)
    whole, alone, around = [], [], []
    for number in range(repeats):
        job = _queued(target, space, forget, epochs, number)
        whole.append(_timed(lambda job=job: execute_run(job)))  # type: ignore[misc]
        around.append(100 * (whole[-1].wall / _called(job) - 1))
        alone.append(_alone(target, epochs, copies, decoded=False))
    decoded = _alone(target, epochs, copies, decoded=True)
    return {
        "job_seconds": [round(each.wall, 2) for each in whole],
        "method_seconds": [round(each.wall, 2) for each in alone],
        "method_on_tensors_seconds": round(decoded.wall, 2),
        "around_percent": round(median(around), 2),
        "overhead_percent": _percent([each.wall for each in whole], [each.wall for each in alone]),
        "processor_overhead_percent": _percent(
            [each.processor for each in whole], [each.processor for each in alone]
        ),
    }


def _called(job: Any) -> float:  # noqa: ANN401
    """Return the seconds that the job's own call of the method took."""
    from unlearning.models import UnlearningRun  # noqa: PLC0415

    seconds = UnlearningRun.objects.get(pk=job.payload_id).seconds
    assert seconds is not None  # noqa: S101  (a benchmark)
    return seconds


def _percent(whole: list[float], alone: list[float]) -> float:
    """Return the median over pairs of what the first takes more than the second."""
    return round(median(100 * (a / b - 1) for a, b in zip(whole, alone, strict=True)), 2)


def _alone(target: Any, epochs: int, copies: int, *, decoded: bool) -> Taken:  # noqa: ANN401
    """Return what the method takes without the platform."""
    from unlearning.core.context import Context  # noqa: PLC0415
    from unlearning.core.examples import Held  # noqa: PLC0415
    from unlearning.core.stored import StoredExamples  # noqa: PLC0415
    from unlearning.execution.loading import load_version, recipe_of  # noqa: PLC0415
    from unlearning.methods.finetune import Finetune  # noqa: PLC0415

    recipe, model = recipe_of(target), load_version(target)
    kept = _records(copies)[PEOPLE:]
    held = Held(StoredExamples(recipe, [InMemory(content=one, target=to) for one, to in kept]))
    if decoded:
        held.all()
    method = Finetune(epochs=epochs)
    return _timed(lambda: method.apply(model, held, held, Context(recipe=recipe)))


def _timed(done: Callable[[], object]) -> Taken:
    started, used = time.perf_counter(), time.process_time()
    done()
    return Taken(wall=time.perf_counter() - started, processor=time.process_time() - used)


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


def _queued(target: Any, space: Any, forget: Any, epochs: int, seed: int) -> Any:  # noqa: ANN401
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


if __name__ == "__main__":
    run(measure, __doc__ or "")
