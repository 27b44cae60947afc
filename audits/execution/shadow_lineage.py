"""Shadow models learned from people: each is a node of the lineage graph, never servable."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from django.utils import timezone

from audits.execution.procedure import base_run_of
from audits.queries.policy_values import in_force
from lineage.core import bitmaps
from lineage.models import Dataset, DatasetSnapshot, ModelVersion, Role, Run
from lineage.services import runs as lineage_runs
from lineage.services.snapshots import take_snapshot
from unlearning.execution.loading import forget_snapshot, retain_snapshot

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyroaring import BitMap

    from audits.execution.procedure import Audited
    from unlearning.models import UnlearningRun


@dataclass(frozen=True, kw_only=True)
class Beside:
    """Records of the forget set's space that are neither forgotten nor retained.

    ``learned`` are twins and canaries, ``asked`` are those that only gave scores.
    """

    learned: BitMap
    asked: BitMap


def register_shadow(
    run: UnlearningRun, procedure: Audited, *, learned_forget_set: bool, beside: Beside
) -> ModelVersion:
    """Record that a shadow model existed, what it learned from and what it was asked about.

    Its weights were never stored: they ended with this process. What is stored is its row of
    scores, so the node stands for both: it derives from every record that the model learned, went
    on from a base of or was asked about, and from the forget set in any case, beside which its
    surrogates and twins were chosen. Node and row are destroyed when the case closes or the node
    expires.
    """
    recipe = procedure.recipe
    read = Role.TRAINING if learned_forget_set else Role.VALIDATION
    inputs = [
        *_stages(run),
        lineage_runs.Input(source=forget_snapshot(run), role=read),
        *_beside(run, beside),
    ]
    described, now = recipe.describe(), timezone.now()
    shadow_run = lineage_runs.begin_run(
        plan=lineage_runs.RunPlan(
            activity=Run.Activity.SHADOW,
            inputs=tuple(inputs),
            capture_level=Run.Capture.SNAPSHOT,
            recipe=described["recipe"],
            recipe_parameters=described["parameters"],
            recipe_digest=recipe.digest(),
        ),
        now=now,
    )
    return lineage_runs.finish_run(
        run=shadow_run,
        result=lineage_runs.RunResult(
            model_name=f"shadow of {str(run.pk)[:8]}",
            weights=b"",
            kind=ModelVersion.Kind.SHADOW,
            release=False,
            expires_at=now + timedelta(days=in_force("SHADOW_DAYS")),
        ),
        now=now,
    )


def _stages(run: UnlearningRun) -> Iterator[lineage_runs.Input]:
    """Yield what is retained at each stage, and the version that the first one goes on from."""
    yield lineage_runs.Input(source=retain_snapshot(run))
    below = base_run_of(run)
    if below is not None:
        yield from _stages(below)
    elif run.base is not None:
        yield lineage_runs.Input(source=run.base, role=Role.BASE_MODEL)


def _beside(run: UnlearningRun, beside: Beside) -> Iterator[lineage_runs.Input]:
    for ordinals, role in ((beside.learned, Role.TRAINING), (beside.asked, Role.VALIDATION)):
        if ordinals:
            yield lineage_runs.Input(source=_pool_snapshot(run, ordinals), role=role)


def _pool_snapshot(run: UnlearningRun, ordinals: BitMap) -> DatasetSnapshot:
    """Return some records that the target never saw as a snapshot, taken once."""
    rule = {"beside_forget_set_of": str(run.pk), "digest": bitmaps.digest(ordinals)}
    known = DatasetSnapshot.objects.filter(selection_rule=rule).first()
    return known or take_snapshot(
        dataset=Dataset.objects.select_related("space").filter(space=run.space)[0],
        ordinals=ordinals,
        rule=rule,
        now=timezone.now(),
    )
