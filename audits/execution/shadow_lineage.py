"""Shadow models learned from the person: each is a node of the lineage graph, never servable."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils import timezone

from lineage.models import ModelVersion, Run
from lineage.services import runs as lineage_runs
from unlearning.execution.loading import forget_snapshot, retain_snapshot

if TYPE_CHECKING:
    from unlearning.core.recipe import Recipe
    from unlearning.models import UnlearningRun


def register_shadow(
    run: UnlearningRun, recipe: Recipe, *, learned_forget_set: bool
) -> ModelVersion:
    """Record that a shadow model existed and what it learned from.

    Its weights were never stored: they ended with this process. The node says so, and its
    state is set to destroyed when the case closes.
    """
    retain = retain_snapshot(run)
    inputs = [lineage_runs.Input(source=retain)]
    if learned_forget_set:
        forget = forget_snapshot(run)
        inputs.append(lineage_runs.Input(source=forget))
    described = recipe.describe()
    shadow_run = lineage_runs.begin_run(
        plan=lineage_runs.RunPlan(
            activity=Run.Activity.SHADOW,
            inputs=tuple(inputs),
            capture_level=Run.Capture.SNAPSHOT,
            recipe=described["recipe"],
            recipe_parameters=described["parameters"],
            recipe_digest=recipe.digest(),
        ),
        now=timezone.now(),
    )
    return lineage_runs.finish_run(
        run=shadow_run,
        result=lineage_runs.RunResult(
            model_name=f"shadow of {str(run.pk)[:8]}",
            weights=b"",
            kind=ModelVersion.Kind.SHADOW,
            release=False,
        ),
        now=timezone.now(),
    )
