"""Shadow models learned from the person: each is a node of the lineage graph, never servable."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.utils import timezone

from lineage.models import ModelVersion, Role, Run
from lineage.services import runs as lineage_runs
from unlearning.execution.loading import forget_snapshot, retain_snapshot

if TYPE_CHECKING:
    from unlearning.core.recipe import Recipe
    from unlearning.models import UnlearningRun


def register_shadow(
    run: UnlearningRun, recipe: Recipe, *, learned_forget_set: bool
) -> ModelVersion:
    """Record that a shadow model existed, what it learned from and what it was asked about.

    Its weights were never stored: they ended with this process. What is stored is its row of
    scores, so the node stands for both: every shadow model of an audit derives from the forget
    set, which it learned or scored, or beside which its surrogates were chosen, and is found from
    the records either way. Node and row are destroyed when the case closes or the node expires.
    """
    retain, forget = retain_snapshot(run), forget_snapshot(run)
    read = Role.TRAINING if learned_forget_set else Role.VALIDATION
    inputs = [lineage_runs.Input(source=retain), lineage_runs.Input(source=forget, role=read)]
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
            expires_at=now + timedelta(days=settings.EXPUNGE_SHADOW_DAYS),
        ),
        now=now,
    )
