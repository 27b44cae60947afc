"""Train, unlearn and train again from a notebook: no server, no database, no Django.

    from unlearning.library import Experiment, decoded

    examples = decoded(recipe, records)
    case = Experiment.of(recipe, examples, forget=range(20), unseen=range(200, 600))
    original = case.train()
    unlearned = case.unlearn("finetune", original).model

``audits.library.audit`` judges the result. What is called here is what the platform calls: the
same recipes, the same methods, equal tensors for equal seeds.
"""

from __future__ import annotations

import operator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch.utils.data import ConcatDataset, Subset, TensorDataset

from unlearning.core.catalogue import registry
from unlearning.core.comparison import accuracy
from unlearning.core.context import Context
from unlearning.core.examples import NOTHING, count, held
from unlearning.core.progress_line import ProgressLine
from unlearning.core.ranges import hyperparameters
from unlearning.core.recipe import NoExamples
from unlearning.core.seeding import derive
from unlearning.core.session import CPU, Session

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

    from torch import nn

    from unlearning.core.examples import Examples
    from unlearning.core.method import Method, Unlearned
    from unlearning.core.recipe import Recipe

__all__ = ["Experiment", "ProgressLine", "decoded", "method_named", "methods"]


class SetsOverlap(ValueError):
    """A record is to be forgotten, and is said never to have been learned."""


class NoSuchRecord(ValueError):
    """A number is that of no record, or names one a second time."""


class UnknownSetting(ValueError):
    """A method has no hyperparameter of this name."""


def quiet(_phase: str, _done: int, _total: int) -> None:
    """Show no progress."""


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """A recipe, and who is in which set.

    Attributes:
        recipe: how a model is made from records.
        retain: what the model learns and keeps, pairs (input, target).
        forget: what it learns and is to forget.
        unseen: what it never learns; an audit draws twins, canaries and tests from it.
        validation: what it never learns and no audit draws from; a few methods read it.
        seed: of the trainings; that of an unlearning is derived from it.
        device: where models are trained.
        progress: hears (phase, steps done, steps in all); ``ProgressLine()`` shows them.
    """

    recipe: Recipe
    retain: Examples
    forget: Examples
    unseen: Examples = NOTHING
    validation: Examples = NOTHING
    seed: int = 0
    device: torch.device = CPU
    progress: Callable[[str, int, int], None] = quiet

    @classmethod
    def of(
        cls,
        recipe: Recipe,
        examples: Examples,
        *,
        forget: Collection[int],
        unseen: Collection[int] = (),
        **more: Any,  # noqa: ANN401  (fields of an experiment)
    ) -> Experiment:
        """Part one set by the numbers of its records; what is not named is retained.

        Raises:
            NoSuchRecord: a number is not in ``range(count(examples))``, or is given twice.
            SetsOverlap: a record is named in both.
        """
        size = count(examples)
        named, others = _places("forget", forget, size), _places("unseen", unseen, size)
        gone, strangers = set(named), set(others)
        if both := sorted(gone & strangers):
            raise SetsOverlap(
                f"Record {both[0]} and {len(both) - 1} more are in forget and in unseen; each "
                f"record is in one set."
            )
        kept = [at for at in range(size) if at not in gone and at not in strangers]
        return cls(
            recipe=recipe,
            retain=Subset(examples, kept),
            forget=Subset(examples, named),
            unseen=Subset(examples, others),
            **more,
        )

    def train(self) -> nn.Module:
        """Return the original model, which learns what it is later to forget.

        Raises:
            NoExamples: there is nothing to train on.
        """
        everything: Examples = ConcatDataset([self.retain, self.forget])
        return self.recipe.train(everything, self._session())

    def retrain(self) -> nn.Module:
        """Return the retrained model, which never saw what is to be forgotten."""
        return self.recipe.train(self.retain, self._session())

    def unlearn(self, method: str, model: nn.Module, **settings: Any) -> Unlearned:  # noqa: ANN401
        """Return the unlearned model and the report on it; ``model`` stays as it is.

        The seed is not that of training: a method that renews weights would draw those that the
        retrained model began with, and look better than it is.

        Args:
            method: the name of a method, see ``methods()``.
            model: the original model.
            **settings: hyperparameters other than their defaults.

        Raises:
            UnknownName, UnknownSetting, OutOfRange: there is no such method or setting.
            EmptySet, NotEligible, NothingTouched: it cannot be applied; see ``Method.apply``.
        """
        chosen = method_named(method, **settings)
        seed = derive(self.seed, "unlearn", method) % 2**31
        context = self.context(seed, progress=self.progress)
        return chosen.apply(model, self.retain, self.forget, context)

    def context(self, seed: int, **more: Any) -> Context:  # noqa: ANN401  (fields of a context)
        """Return what a method is given besides the model and the two sets."""
        return Context(
            recipe=self.recipe, validation=self.validation, seed=seed, device=self.device, **more
        )

    def accuracy(self, model: nn.Module, examples: Examples) -> float:
        """Return the share of examples that a model labels rightly, in [0, 1].

        Raises:
            NoExamples: there is none to label.
        """
        if not count(examples):
            raise NoExamples(
                "examples is empty, so no share of it is right; give a set with an example, such "
                "as the unseen of an experiment that names some."
            )
        return accuracy(self.recipe, model, held(examples))

    def _session(self) -> Session:
        return Session(seed=self.seed, device=self.device, progress=self.progress)


def _places(name: str, numbers: Iterable[int], size: int) -> list[int]:
    """Return the numbers of records as plain ones, in their order.

    A tensor of numbers comes out as numbers: it would be equal to none of them in a set.

    Raises:
        NoSuchRecord: see ``Experiment.of``.
    """
    places: dict[int, None] = {}
    for number in numbers:
        try:
            at = operator.index(number)
        except TypeError:
            at = -1
        if not 0 <= at < size:
            raise NoSuchRecord(
                f"{name} has {number!r}; allowed are whole numbers in range({size}), which number "
                f"the examples."
            )
        if at in places:
            raise NoSuchRecord(f"{name} has {at} twice; allowed is each number once.")
        places[at] = None
    return list(places)


def methods() -> tuple[str, ...]:
    """Return the names of the methods; docs/methods.md tells of each."""
    return registry().names()


def method_named(name: str, **settings: Any) -> Method:  # noqa: ANN401  (numbers of its own)
    """Return a method with its hyperparameters.

    Raises:
        UnknownName: there is none of this name; the sentence lists what there is.
        UnknownSetting: it has no such hyperparameter.
        OutOfRange: one has a value that its declaration does not allow.
    """
    cls = registry().get(name)
    known = [one.name for one in hyperparameters(cls)]
    if unknown := sorted(set(settings) - set(known)):
        raise UnknownSetting(
            f"{name} has no setting {', '.join(unknown)}; it has {', '.join(known) or 'none'}."
        )
    return cls(**settings)


def decoded(recipe: Recipe, records: Iterable[tuple[bytes, str]]) -> Examples:
    """Return stored records, (content, target) each, as tensors in memory.

    Raises:
        NoExamples: there are no records.
        UnreadableRecord, UnknownTarget: see ``Recipe.decode``.
    """
    pairs = [recipe.decode(content, target) for content, target in records]
    if not pairs:
        raise NoExamples("records is empty; give at least one pair of content and target.")
    inputs, targets = zip(*pairs, strict=True)
    return TensorDataset(torch.stack(inputs), torch.stack(targets))
