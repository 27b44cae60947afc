"""The audited procedure, end to end: train as the deployed model was, unlearn as it was."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from torch.utils.data import ConcatDataset

from lineage.queries.sources import learned_by
from lineage.queries.training_view import training_view
from unlearning.core.context import Context
from unlearning.core.seeding import derive
from unlearning.core.session import Session
from unlearning.core.stored import StoredExamples
from unlearning.execution.device import placed
from unlearning.execution.loading import load_version, recipe_of, retain_snapshot
from unlearning.execution.running import METHODS
from unlearning.models import UnlearningRun
from unlearning.services import runs

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import nn

    from unlearning.core.examples import Examples
    from unlearning.core.method import Method
    from unlearning.core.recipe import Recipe


@dataclass(kw_only=True, eq=False)
class Audited:
    """A version's own recipe and method; for a child of an unlearned base, both stages.

    A child rebuilt on an approximately cleared base is audited as base + child: the base is
    trained and unlearned, and the child is trained on the result. A base that never saw the
    forget set is the same for every model: ``start``. Each stage has a retain set of its own,
    and learns the forget set only if its snapshot held any of it. ``unlearned`` is the last model
    that came out, so that more can be scored with it before it is dropped.
    """

    recipe: Recipe
    method: Method
    base: Audited | None = None
    retain: Examples | None = field(default=None, repr=False)
    saw_forget_set: bool = True
    start: nn.Module | None = field(default=None, repr=False)
    cancelled: Callable[[], bool] = field(default=lambda: False, repr=False)
    unlearned: nn.Module | None = field(default=None, repr=False)
    _base_model: nn.Module | None = field(default=None, repr=False)

    def train(self, examples: Examples, seed: int) -> nn.Module:
        """Return a model trained from scratch, its base first."""
        start, retained, learned = self.start, *_parts(examples)
        if self.base and self.base.retain is not None:
            below: Examples = ConcatDataset([self.base.retain, learned])
            start = self._base_model = self.base.train(below, derive(seed, "base"))
        own = examples if self.saw_forget_set else retained
        return self.recipe.train(own, self.session(seed, base=start))

    def session(self, seed: int, **more: Any) -> Session:  # noqa: ANN401  (fields of a session)
        """Return what a training of this procedure is given."""
        return Session(seed=seed, cancelled=self.cancelled, **placed(), **more)

    def why_not_stacked(self) -> str:
        """Return why models of this procedure are trained one after the other; or nothing."""
        if self.base is not None or self.start is not None:
            return "the version is a child, whose every shadow model goes on from a base"
        if not self.saw_forget_set:
            return "the version itself learned nothing of what is to be forgotten"
        return ""

    def unlearn(
        self, model: nn.Module, retain: Examples, forget: Examples, seed: int
    ) -> nn.Module:
        """Return the unlearned model; the base is unlearned first."""
        base = self.start
        if self.base and self.base.retain is not None and self._base_model is not None:
            base = self.base.unlearn(
                self._base_model, self.base.retain, forget, derive(seed, "base")
            )
        context = Context(
            recipe=self.recipe, seed=seed, base=base, cancelled=self.cancelled, **placed()
        )
        self.unlearned = self.method.unlearn(model, retain, forget, context)
        return self.unlearned


def audited(run: UnlearningRun, cancelled: Callable[[], bool] = lambda: False) -> Audited:
    """Return the procedure that produced the result of a run; it stops when ``cancelled`` says so.

    Raises:
        NoRecipe, RecipeChanged: it cannot be repeated.
    """
    inner = base_run_of(run)
    return Audited(
        recipe=recipe_of(run.target),
        method=METHODS.get(run.method)(**run.hyperparameters),
        base=audited(inner, cancelled) if inner else None,
        retain=StoredExamples(recipe_of(run.target), training_view(retain_snapshot(run))),
        saw_forget_set=bool(learned_by(run.target, run.space) & runs.forget_of(run)),
        start=load_version(run.base) if run.base and not inner else None,
        cancelled=cancelled,
    )


def _parts(examples: Examples) -> tuple[Examples, Examples]:
    """Return what a shadow model retains and what it is to forget."""
    if not isinstance(examples, ConcatDataset):
        raise TypeError("A shadow model is trained on its retain set joined with what it forgets.")
    retained, learned = examples.datasets
    return retained, learned


def base_run_of(run: UnlearningRun) -> UnlearningRun | None:
    """Return the run that unlearned, for the same case, the base on which a child was rebuilt.

    None where the base never saw the forget set, even if it came out of an earlier case.
    """
    if run.base is None:
        return None
    same = UnlearningRun.objects.filter(unlearned=run.base, requests__in=run.requests.all())
    return same.select_related("target__generated_by", "base").first()
