"""Serve a vote of shards as it was before the records, while those that held any are rebuilt."""

from __future__ import annotations

import logging
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

from django.utils import timezone

from lineage.core import weights
from lineage.models import ModelVersion, Run
from lineage.services import runs as lineage_runs
from lineage.services import versions
from unlearning.core.planning.ways import Strength
from unlearning.core.sharding.vote import SoftVote
from unlearning.execution.loading import load_version, recipe_of, retain_snapshot
from unlearning.execution.reporting import earlier_result, plan_of_run
from unlearning.services import runs

if TYPE_CHECKING:
    from lineage.models import Job
    from unlearning.core.examples import Examples
    from unlearning.core.session import Session
    from unlearning.core.sharding.rebuilding import Rebuild, RolledBack
    from unlearning.models import UnlearningRun
    from unlearning.recipes.sharded import Sharded

logger = logging.getLogger("expunge.unlearning")

STEP = ":interim"


def serve_interim(
    job: Job, run: UnlearningRun, rebuild: Rebuild, retain: Examples, session: Session
) -> dict[str, Any]:
    """Put what never saw the records in the place of the target; return what is said of it.

    The shards that held any go back to their newest clean state, or leave the vote. Empty where
    every shard would leave it, or the target is not in use: then nothing changes yet.
    """
    version = earlier_result(job, STEP)
    if version is None:
        if run.target.state != ModelVersion.State.ACTIVE:
            return {}
        started = time.perf_counter()
        found = rebuild.rolled_back(load_version(run.target), retain, session)
        if not found.members:
            return {}
        version = _stored(job, run, found, time.perf_counter() - started)
    runs.set_interim(run_id=run.pk, version=version)
    try:
        versions.take_over(version=version, of=run.target)
    except versions.VersionNotReleasable as reason:
        logger.warning("run %s: %s", run.pk, reason)
        return {}
    return {"version": str(version.pk), "name": str(version), **version.metrics["interim"]}


def _stored(job: Job, run: UnlearningRun, found: RolledBack, seconds: float) -> ModelVersion:
    plan = plan_of_run(
        job,
        replace(cast("Sharded", recipe_of(run.target)), shards=len(found.members)),
        Run.Activity.UNLEARN,
        (lineage_runs.Input(source=retain_snapshot(run)),),
        run.seed,
        STEP,
    )
    told = {
        "promise": Strength.INFLUENCE_FREE.name,
        "shards": len(found.members),
        "rolled_back": found.back,
        "left_out": found.left,
    }
    return lineage_runs.finish_run(
        run=lineage_runs.begin_run(plan=plan, now=timezone.now()),
        result=lineage_runs.RunResult(
            model_name=run.target.model_name,
            weights=weights.to_bytes(SoftVote(found.members).state_dict()),
            metrics={"interim": told},
            release=False,
            revision_of=run.target,
            seconds=seconds,
        ),
        now=timezone.now(),
    )
