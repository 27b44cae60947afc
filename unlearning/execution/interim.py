"""Serve a vote of shards as it was before the records, while those that held any are rebuilt."""

from __future__ import annotations

import logging
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol, cast

from django.db import transaction
from django.utils import timezone

from lineage.core import weights
from lineage.models import ModelVersion, Run
from lineage.services import runs as lineage_runs
from lineage.services import versions
from unlearning.core.planning.ways import Strength
from unlearning.core.sharding.vote import SoftVote
from unlearning.execution.loading import load_version, recipe_of, retain_snapshot
from unlearning.execution.reporting import earlier_result, plan_of_run
from unlearning.queries.histories import may_know_who_waits
from unlearning.services import runs

if TYPE_CHECKING:
    from datetime import datetime

    from lineage.models import Job
    from unlearning.core.examples import Examples
    from unlearning.core.release.ruling import Ruling
    from unlearning.core.session import Session
    from unlearning.core.sharding.rebuilding import Rebuild, RolledBack
    from unlearning.models import UnlearningRun
    from unlearning.recipes.sharded import Sharded

logger = logging.getLogger("expunge.unlearning")

STEP = ":interim"


class Gate(Protocol):
    """Who says whether what was rolled back is good enough to serve, and keeps a note of it."""

    def ruling(self, run: UnlearningRun, found: RolledBack) -> Ruling:
        """Return whether it may serve; no transaction is open."""

    def settled(
        self, *, run: UnlearningRun, version: ModelVersion, ruling: Ruling, now: datetime
    ) -> None:
        """Note that it serves, or is held, in the transaction in which that comes about."""


def serve_interim(
    job: Job,
    run: UnlearningRun,
    rebuild: Rebuild,
    retain: Examples,
    session: Session,
    *,
    gate: Gate,
) -> dict[str, Any]:
    """Put what never saw the records in the place of the target; return what is said of it.

    The shards that held any go back to their newest clean state, or leave the vote. Where the
    gate holds what comes of it, it does not serve, and the target is withdrawn all the same. Who
    waits for a case of their own stays in the shards that this run leaves alone.

    Empty where every shard would leave the vote, the target is not in use, or what would serve
    must not (it learned from somebody erased): then nothing changes yet.
    """
    version = earlier_result(job, STEP)
    if version is None and run.target.state == ModelVersion.State.ACTIVE:
        started = time.perf_counter()
        found = rebuild.rolled_back(load_version(run.target), retain, session)
        if found.members:
            ruling = gate.ruling(run, found)
            own = _begun(job, run, len(found.members))
            result = _result(run, found, ruling, time.perf_counter() - started)
            version = _put_in_place(run, own, result, ruling, gate)
    if version is None:
        return {}
    return {"version": str(version.pk), "name": str(version), **version.metrics["interim"]}


def _put_in_place(
    run: UnlearningRun, own: Run, result: lineage_runs.RunResult, ruling: Ruling, gate: Gate
) -> ModelVersion | None:
    """Store the vote, name it in the run and let it take over; all of it, or nothing."""
    now = timezone.now()
    try:
        with transaction.atomic():  # no case would ever destroy a version that no run names
            version = lineage_runs.finish_run(run=own, result=result, now=now)
            runs.set_interim(run_id=run.pk, version=version)
            versions.take_over(
                version=version,
                of=run.target,
                waiting=may_know_who_waits(run),
                held=not ruling.allowed,
            )
            gate.settled(run=run, version=version, ruling=ruling, now=now)
    except versions.VersionNotReleasable as reason:
        logger.warning("run %s: %s", run.pk, reason, extra={"said": "STAND_IN_NOT_USED"})
        lineage_runs.fail_run(run=own, now=timezone.now(), reason=type(reason).__name__)
        return None
    except Exception as error:
        lineage_runs.fail_run(run=own, now=timezone.now(), reason=type(error).__name__)
        raise
    return version


def _begun(job: Job, run: UnlearningRun, shards: int) -> Run:
    recipe = replace(cast("Sharded", recipe_of(run.target)), shards=shards)
    inputs = (lineage_runs.Input(source=retain_snapshot(run)),)
    plan = plan_of_run(job, recipe, Run.Activity.UNLEARN, inputs, run.seed, STEP)
    return lineage_runs.begin_run(plan=plan, now=timezone.now())


def _result(
    run: UnlearningRun, found: RolledBack, ruling: Ruling, seconds: float
) -> lineage_runs.RunResult:
    told = {
        "promise": Strength.INFLUENCE_FREE.name,
        "shards": len(found.members),
        "rolled_back": found.back,
        "left_out": found.left,
        "release": "RELEASED" if ruling.allowed else "HELD",
        "reason": ruling.reason,
    }
    return lineage_runs.RunResult(
        model_name=run.target.model_name,
        weights=weights.to_bytes(SoftVote(found.members).state_dict()),
        metrics={"interim": told},
        release=False,
        waiting=may_know_who_waits(run),
        revision_of=run.target,
        seconds=seconds,
    )
