"""The runs of a case: what is to be done to each version that learned from its records."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from audits.models import ErasureRequest
from audits.services import log
from unlearning.services import runs as unlearning_runs

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from uuid import UUID

    from pyroaring import BitMap

    from lineage.models import ModelVersion, OrdinalSpace
    from unlearning.models import Tuning, UnlearningRun


@dataclass(frozen=True, kw_only=True)
class PlannedRun:
    """What is to be done to one affected version."""

    version: ModelVersion
    space: OrdinalSpace
    forget: BitMap
    method: str
    hyperparameters: Mapping[str, Any]
    seed: int
    waiting: bool
    tuning: Tuning | None = None
    refused: str = ""
    untuned: str = ""
    weighed: Mapping[str, Any] | None = None


def add_runs(case_id: UUID, runs: Sequence[PlannedRun], now: datetime) -> None:
    """Queue the runs of a case on versions that it has none on yet."""
    request = ErasureRequest.objects.get(pk=case_id)
    known = set(request.runs.values_list("target_id", flat=True))
    for planned in (one for one in runs if one.version.pk not in known):
        run = unlearning_runs.queue_run(
            target=planned.version,
            space=planned.space,
            forget=planned.forget,
            method=planned.method,
            hyperparameters=planned.hyperparameters,
            seed=planned.seed,
            waiting=planned.waiting,
            tuning=planned.tuning,
            weighed=planned.weighed,
            now=now,
        )
        attach(request, run, now)


def attach(request: ErasureRequest, run: UnlearningRun, now: datetime) -> None:
    """Let a run serve a case, and log it."""
    request.runs.add(run)
    log.append(
        type="run_planned",
        case=request.pk,
        now=now,
        data={
            "run": str(run.pk),
            "version": str(run.target_id),
            "method": run.method,
            "forget_count": run.forget_count,
            "forget_digest": run.forget_digest,
        },
    )
