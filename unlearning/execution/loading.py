"""Versions as models, and the snapshots that they were trained on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.utils import timezone

from lineage.core import weights
from lineage.models import DatasetSnapshot, ModelVersion, Role
from lineage.queries.artefacts import weights_of
from lineage.queries.availability import barred_ordinals
from lineage.queries.membership import members
from lineage.services.snapshots import take_snapshot
from unlearning.core.recipe import check_unchanged, load_recipe
from unlearning.core.seeding import isolated
from unlearning.core.session import CPU
from unlearning.services import runs

if TYPE_CHECKING:
    from torch import nn

    from unlearning.core.recipe import Recipe
    from unlearning.models import UnlearningRun


class NoRecipe(Exception):
    """The version was captured without a recipe, so it cannot be trained again."""


class TargetDestroyed(Exception):
    """The version to unlearn does not exist any more."""


def recipe_of(version: ModelVersion) -> Recipe:
    """Return the recipe that a version was trained with, held to its captured digest.

    Raises:
        NoRecipe: it was captured without one.
        RecipeNotAllowed: its module is not in EXPUNGE_RECIPE_MODULES.
        RecipeChanged: its code or parameters are not those that were captured.
    """
    run = version.generated_by
    if not run.recipe:
        raise NoRecipe(
            f"{version} was captured without a recipe. Destroy it, or train it again outside on "
            "the training view and choose the new version on the case page."
        )
    recipe = load_recipe(run.recipe, run.recipe_parameters, settings.EXPUNGE_RECIPE_MODULES)
    check_unchanged(recipe, run.recipe_digest)
    return recipe


def load_version(version: ModelVersion) -> nn.Module:
    """Return the model of a version, its weights verified against their digest.

    Raises:
        TargetDestroyed: the weights were destroyed.
        ArtefactMissing, ArtefactAltered: the file is not there or not the same.
    """
    if version.state == ModelVersion.State.DESTROYED:
        raise TargetDestroyed(f"{version} was destroyed; there is nothing left to unlearn.")
    with isolated(0, CPU):
        model = recipe_of(version).build()
    model.load_state_dict(weights.from_bytes(weights_of(version)))
    return model.eval()


def training_snapshot(version: ModelVersion) -> DatasetSnapshot:
    """Return the snapshot of what a version was really trained on."""
    used = version.generated_by.inputs.filter(role=Role.TRAINING).select_related(
        "used_snapshot__dataset", "node"
    )[0]
    if used.used_snapshot:
        return used.used_snapshot
    return DatasetSnapshot.objects.select_related("dataset").get(pk=used.node.object_id)


def parents_of(version: ModelVersion) -> list[ModelVersion]:
    """Return the versions that a version was trained from."""
    inputs = version.generated_by.inputs.filter(role__in=[Role.BASE_MODEL, Role.TEACHER])
    ids = list(inputs.values_list("node__object_id", flat=True))
    return list(ModelVersion.objects.select_related("generated_by").filter(pk__in=ids))


def base_version_of(version: ModelVersion) -> ModelVersion | None:
    """Return the version that a version was fine-tuned from."""
    node = version.generated_by.inputs.filter(role=Role.BASE_MODEL).first()
    if node is None:
        return None
    return ModelVersion.objects.select_related("generated_by").get(pk=node.node.object_id)


def retain_snapshot(run: UnlearningRun) -> DatasetSnapshot:
    """Return the retain set of a run as a snapshot, taken once.

    It leaves out the forget set and every other record that is restricted or erased by now.
    """
    rule = {"retain_set_of": str(run.pk)}
    known = DatasetSnapshot.objects.filter(selection_rule=rule).first()
    if known:
        return known
    before = training_snapshot(run.target)
    kept = members(before) - runs.forget_of(run) - barred_ordinals(run.space)
    return take_snapshot(
        dataset=before.dataset, ordinals=kept, parent=before, rule=rule, now=timezone.now()
    )


def forget_snapshot(run: UnlearningRun, like: DatasetSnapshot) -> DatasetSnapshot:
    """Return the forget set of a run as a snapshot of the same data set, taken once."""
    rule = {"forget_set_of": str(run.pk)}
    known = DatasetSnapshot.objects.filter(selection_rule=rule).first()
    return known or take_snapshot(
        dataset=like.dataset,
        ordinals=runs.forget_of(run),
        parent=like.parent,
        rule=rule,
        now=timezone.now(),
    )
