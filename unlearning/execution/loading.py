"""Versions as models, and the sets that their unlearning works on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.utils import timezone

from lineage.core import weights
from lineage.models import Dataset, DatasetSnapshot, ModelVersion
from lineage.queries.artefacts import weights_of
from lineage.queries.availability import purged_ordinals, restricted_ordinals
from lineage.queries.membership import members
from lineage.queries.sources import training_snapshot
from lineage.services.snapshots import take_snapshot
from unlearning.core.claims import NotEligible
from unlearning.core.ranges import OutOfRange
from unlearning.core.recipe import NotARecipe, RecipeNotAllowed, check_unchanged, load_recipe
from unlearning.core.seeding import isolated
from unlearning.core.session import CPU
from unlearning.core.sharding.touching import left_out
from unlearning.methods.decrement import Decrement
from unlearning.queries.histories import shards_of_versions
from unlearning.services import runs

if TYPE_CHECKING:
    from pyroaring import BitMap
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


def reader_of(version: ModelVersion) -> Recipe | None:
    """Return the recipe of a version for reading its records only, as it is now.

    None where there is none, or none that may be loaded any more.
    """
    run = version.generated_by
    try:
        return load_recipe(run.recipe, run.recipe_parameters, settings.EXPUNGE_RECIPE_MODULES)
    except (RecipeNotAllowed, NotARecipe, OutOfRange):
        return None


def makes_sums(recipe: Recipe) -> bool:
    """Return whether the models of a recipe are made of integer statistics."""
    with isolated(0, CPU):
        model = recipe.build()
    try:
        Decrement().eligible(model)
    except NotEligible:
        return False
    return True


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


def retain_snapshot(run: UnlearningRun) -> DatasetSnapshot:
    """Return the retain set of a run as a snapshot, taken once.

    It leaves out the forget set and every other record that is restricted or erased by now. Of
    what is restricted, a rebuild of shards leaves in what lies in shards that it does not touch:
    it does not train on these, and its result knows them as the version before does.
    """
    rule = {"retain_set_of": str(run.pk)}
    known = DatasetSnapshot.objects.filter(selection_rule=rule).first()
    if known:
        return known
    before = training_snapshot(run.target)
    return take_snapshot(
        dataset=before.dataset,
        ordinals=members(before) - _left_out(run, before),
        parent=before,
        rule=rule,
        now=timezone.now(),
    )


def _left_out(run: UnlearningRun, before: DatasetSnapshot) -> BitMap:
    forgotten = purged_ordinals(before.space)
    if before.space_id == run.space_id:  # else the version learned of these through its base
        forgotten |= runs.forget_of(run)
    in_shards = shards_of_versions([run.target_id]) if run.method == runs.REPLAY else {}
    found = in_shards.get(run.target_id)
    return left_out(
        found.records if found else (),
        forgotten=forgotten,
        barred=restricted_ordinals(before.space),
    )


def forget_snapshot(run: UnlearningRun) -> DatasetSnapshot:
    """Return the forget set of a run as a snapshot, taken once."""
    rule = {"forget_set_of": str(run.pk)}
    known = DatasetSnapshot.objects.filter(selection_rule=rule).first()
    return known or take_snapshot(
        dataset=Dataset.objects.select_related("space").filter(space=run.space)[0],
        ordinals=runs.forget_of(run),
        rule=rule,
        now=timezone.now(),
    )
