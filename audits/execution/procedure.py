"""The audited procedure, end to end: train as the deployed model was, unlearn as it was."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from unlearning.core.context import Context
from unlearning.core.seeding import derive
from unlearning.core.session import Session
from unlearning.execution.loading import base_version_of, recipe_of
from unlearning.execution.running import METHODS

if TYPE_CHECKING:
    from torch import nn

    from unlearning.core.examples import Examples
    from unlearning.core.method import Method
    from unlearning.core.recipe import Recipe
    from unlearning.models import UnlearningRun


@dataclass(kw_only=True, eq=False)
class Audited:
    """A version's own recipe and method; for a child of an unlearned base, both stages.

    A child rebuilt on an approximately cleared base is audited as base + child: the base is
    trained and unlearned, and the child is trained on the result. ``unlearned`` is the last
    model that came out, so that more can be scored with it before it is dropped.
    """

    recipe: Recipe
    method: Method
    base: Audited | None = None
    unlearned: nn.Module | None = field(default=None, repr=False)
    _base_model: nn.Module | None = field(default=None, repr=False)

    def train(self, examples: Examples, seed: int) -> nn.Module:
        """Return a model trained from scratch, its base first."""
        self._base_model = self.base.train(examples, derive(seed, "base")) if self.base else None
        return self.recipe.train(examples, Session(seed=seed, base=self._base_model))

    def unlearn(
        self, model: nn.Module, retain: Examples, forget: Examples, seed: int
    ) -> nn.Module:
        """Return the unlearned model; the base is unlearned first."""
        base = None
        if self.base and self._base_model is not None:
            base = self.base.unlearn(self._base_model, retain, forget, derive(seed, "base"))
        context = Context(recipe=self.recipe, seed=seed, base=base)
        self.unlearned = self.method.unlearn(model, retain, forget, context)
        return self.unlearned


def audited(run: UnlearningRun) -> Audited:
    """Return the procedure that produced the result of a run.

    Raises:
        NoRecipe, RecipeChanged: it cannot be repeated.
    """
    inner = base_run_of(run)
    return Audited(
        recipe=recipe_of(run.target),
        method=METHODS.get(run.method)(**run.hyperparameters),
        base=audited(inner) if inner else _trained(run),
    )


def base_run_of(run: UnlearningRun) -> UnlearningRun | None:
    """Return the run that produced the base on which a child was rebuilt."""
    return getattr(run.base, "unlearned_by", None) if run.base else None


def _trained(run: UnlearningRun) -> Audited | None:
    """Return the base of a fine-tuned version that is unlearned itself, not rebuilt."""
    base = base_version_of(run.target)
    if base is None:
        return None
    return Audited(recipe=recipe_of(base), method=METHODS.get("retrain")())
