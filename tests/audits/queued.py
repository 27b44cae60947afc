"""Cases that wait, and versions in shards, as rows: nothing is imported or trained for them."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import TYPE_CHECKING

from django.utils import timezone
from pyroaring import BitMap

from audits.models import ErasureRequest
from lineage.core.bitmaps import encode
from lineage.models import Dataset, OrdinalSpace, Restriction, Run
from lineage.services.runs import Input, RunPlan, RunResult, begin_run, finish_run
from lineage.services.snapshots import take_snapshot
from unlearning.models import HistorySlice, TrainingHistory

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from lineage.models import ModelVersion


def data(records: int, name: str = "rows") -> Dataset:
    """A data set of so many records, of which nothing is stored but their number."""
    space = OrdinalSpace.objects.create(name=name, next_ordinal=records)
    return Dataset.objects.create(name=name, space=space)


def version(
    dataset: Dataset,
    ordinals: Iterable[int],
    *,
    name: str = "model",
    shards: int = 0,
    seconds: float = 1.0,
    base: ModelVersion | None = None,
) -> ModelVersion:
    """A version in use that was trained on some records, cut by ``ordinal % shards``."""
    learned, now = BitMap(ordinals), timezone.now()
    inputs = [Input(source=take_snapshot(dataset=dataset, ordinals=learned, now=now))]
    inputs += [Input(source=base, role="BASE_MODEL")] if base else []
    plan = RunPlan(
        activity="TRAIN",
        inputs=tuple(inputs),
        recipe="unlearning.recipes.sharded:Sharded" if shards else "any:Recipe",
        recipe_parameters={"shards": shards} if shards else {},
    )
    result = RunResult(model_name=name, weights=b"")
    made = finish_run(run=begin_run(plan=plan, now=now), result=result, now=now)
    Run.objects.filter(pk=made.generated_by_id).update(seconds=seconds)
    for number in range(shards):
        history = TrainingHistory.objects.create(
            name=f"{made.pk.hex[:20]}/{number}",
            version=made,
            shard=number,
            account=b"{}",
            space=dataset.space,
            created_at=now,
        )
        held = BitMap(each for each in learned if each % shards == number)
        HistorySlice.objects.create(
            history=history, number=0, bound=len(held), bitmap=encode(held)
        )
    return made


def waiting(
    dataset: Dataset, asked: Sequence[tuple[Iterable[int], float]], *, first: int = 0
) -> list[ErasureRequest]:
    """Accepted cases whose records are restricted; each is (its records, its age in days)."""
    now = timezone.now()
    cases = [
        ErasureRequest(
            reference=f"W-{number}",
            status="RESTRICTED",
            status_digest=uuid.uuid4().hex,
            received_at=now - timedelta(days=age),
            accepted_at=now - timedelta(days=age),
            due_on=(now + timedelta(days=30 - age)).date(),
            due_rule="a month",
        )
        for number, (_, age) in enumerate(asked, first)
    ]
    ErasureRequest.objects.bulk_create(cases)
    Restriction.objects.bulk_create(
        Restriction(
            space=dataset.space,
            case_id=case.pk,
            bitmap=encode(BitMap(records)),
            started_at=now,
        )
        for case, (records, _) in zip(cases, asked, strict=True)
    )
    return cases
