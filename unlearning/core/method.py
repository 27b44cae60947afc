"""The contract every unlearning method keeps."""

from __future__ import annotations

from abc import ABC, abstractmethod
from copy import deepcopy
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, ClassVar, final

import torch

from unlearning.core import norms
from unlearning.core.claims import Cost, Granularity, Guarantee, Layers, Need
from unlearning.core.classes import forgotten_classes
from unlearning.core.examples import Held, Sealed, count
from unlearning.core.inputs import check_continuous
from unlearning.core.layers import check_eligible
from unlearning.core.ranges import check_ranges
from unlearning.core.report import UnlearningReport
from unlearning.core.seeding import isolated

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import nn

    from unlearning.core.claims import Published
    from unlearning.core.context import Context
    from unlearning.core.examples import Examples
    from unlearning.core.history import History
    from unlearning.core.replay.rewind import Rewind
    from unlearning.core.sharding.rebuilding import Rebuild


class EmptySet(ValueError):
    """A set that the method must read has no example."""


class NotKept(ValueError):
    """A method needs something that was not kept while the model was trained."""


class NothingTouched(RuntimeError):
    """The method left the model as it was, which is not unlearning."""


class WeightsNotFinite(ArithmeticError):
    """The unlearned model holds a weight that is infinite or not a number."""


class SettingRefused(ValueError):
    """Each hyperparameter is in range, but together they describe another method or none."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What ``_unlearn`` hands back.

    ``edited`` counts single weights changed by the method's distinctive step, and is None where
    it has none.
    """

    model: nn.Module
    stop_reason: str
    edited: int | None = None


@dataclass(frozen=True, kw_only=True)
class Unlearned:
    """The unlearned model, in eval mode, and the report on how it came about."""

    model: nn.Module
    report: UnlearningReport


@dataclass(frozen=True, kw_only=True)
class Method(ABC):
    """An unlearning algorithm whose fields are its hyperparameters.

    A subclass is a frozen dataclass in a file of its own. It implements ``_unlearn``, which is
    handed a private copy of the model and a freshly seeded random state, so it may do with both
    as it likes. A set that it does not declare is sealed: reading it raises.

    ``layers`` is what its own step edits, ``mixed_precision`` whether that step may be taken in
    bfloat16. ``moves_inputs`` says that inputs are moved by small steps, so that they must be
    continuous numbers. ``published`` holds the defaults of paper or benchmark where they are not
    ours, and None where they have no such number.
    """

    title: ClassVar[str]
    paper: ClassVar[str]
    basis: ClassVar[str]
    guarantee: ClassVar[Guarantee]
    granularity: ClassVar[Granularity] = Granularity.RECORD
    needs: ClassVar[frozenset[Need]] = frozenset({Need.RETAIN, Need.RECIPE})
    reads_forget: ClassVar[bool]
    layers: ClassVar[Layers] = Layers.TRAINABLE
    moves_inputs: ClassVar[bool] = False
    mixed_precision: ClassVar[bool] = False
    published: ClassVar[Published] = {}
    cost: ClassVar[Cost]

    def __post_init__(self) -> None:
        """Check every hyperparameter.

        Raises:
            OutOfRange: one has a value that its declaration does not allow.
        """
        check_ranges(self)

    def eligible(self, model: nn.Module) -> None:
        """Say, before anything is run, whether the method is defined on this model.

        Raises:
            NotEligible: it would do nothing to it, or be another method on it.
        """
        check_eligible(self.layers, model, self.title)
        if self.moves_inputs:
            check_continuous(model, self.title)

    @final
    def unlearn(
        self, model: nn.Module, retain: Examples, forget: Examples, context: Context
    ) -> nn.Module:
        """Return a new model without the influence of the forget set; see ``apply``."""
        return self.apply(model, retain, forget, context).model

    @final
    def apply(
        self, model: nn.Module, retain: Examples, forget: Examples, context: Context
    ) -> Unlearned:
        """Return a new model without the influence of the forget set, and the report.

        The argument is not modified, equal seeds give equal models, and the caller's random
        state is left as it was found. A method that does not read the forget set runs just as
        well when its records are gone already and ``forget`` is empty.

        Raises:
            NotEligible: the method is not defined on this model.
            EmptySet: a set that the method reads is empty.
            NotKept: it needs states saved during training, and there are none.
            NotAWholeClass: the method removes classes, and the forget set is none.
            NothingTouched: the method changed no parameter.
            LossNotFinite, WeightsNotFinite: the computation ran away.
            Cancelled: the context says so.
        """
        started = context.clock()
        self.eligible(model)
        sets = {
            "retain": self._admit("retain", retain, declared=Need.RETAIN in self.needs),
            "forget": self._admit("forget", forget, declared=self.reads_forget),
            "validation": self._admit(
                "validation", context.validation, declared=Need.VALIDATION in self.needs
            ),
        }
        with isolated(context.seed, context.device):
            outcome = self._run(model, sets, self._inside(context, sets))
        outcome.model.zero_grad(set_to_none=True)  # gradients, too, are traces of records
        layers = _changed(model, outcome.model)
        self._check(outcome, layers)
        report = UnlearningReport(
            method=type(self).__module__.rpartition(".")[2],
            hyperparameters=asdict(self),
            guarantee=self.guarantee.name,
            seed=context.seed,
            edited=outcome.edited,
            trained=sum(layers.values()),
            parameters=sum(weight.numel() for weight in outcome.model.parameters()),
            layers=tuple(layers),
            read=tuple(
                name for name, each in sets.items() if isinstance(each, Held) and each.read
            ),
            stop_reason=outcome.stop_reason,
            seconds=context.clock() - started,
        )
        return Unlearned(model=outcome.model.eval(), report=report)

    @abstractmethod
    def _unlearn(
        self, model: nn.Module, retain: Examples, forget: Examples, context: Context
    ) -> Outcome:
        """Return the unlearned model; ``model`` is a copy and may be modified in place."""

    def _admit(self, name: str, examples: Examples, *, declared: bool) -> Held | Sealed:
        """Return a declared set, which must not be empty, or a seal in place of another."""
        if not declared:
            return Sealed(name, self.title)
        if not count(examples):
            raise EmptySet(f"{self.title} reads the {name} set, and it is empty.")
        return Held(examples)

    def _inside(self, context: Context, sets: Mapping[str, Held | Sealed]) -> Context:
        """Return the context as the method sees it; a forget set that is no class is refused."""
        if self.granularity is Granularity.CLASS:
            forget = sets["forget"] if self.reads_forget else None
            forgotten_classes(context.recipe, sets["retain"], forget, context.classes)
        return replace(
            context,
            validation=sets["validation"],
            history=self._history(context),
            rewind=self._rewind(context),
            amp=context.amp and self.mixed_precision,
        )

    def _rewind(self, context: Context) -> Rewind | Rebuild | None:
        if Need.BATCH_LOG not in self.needs or Need.CHECKPOINTS in self.needs:
            return None  # what was kept of the end of a training holds its batches, too
        if context.rewind is None:
            raise NotKept(
                f"{self.title} goes through the training again, and no log of its steps was kept; "
                f"retrain from scratch."
            )
        return context.rewind

    def _history(self, context: Context) -> History | None:
        if Need.CHECKPOINTS not in self.needs:
            return None
        if context.history is None:
            raise NotKept(
                f"{self.title} goes back to a state saved during training, and none was kept; "
                f"choose a method that needs none."
            )
        return context.history

    def _run(
        self, model: nn.Module, sets: Mapping[str, Held | Sealed], context: Context
    ) -> Outcome:
        """Unlearn; around an approximate method, renew what was derived from the data.

        Scalers are refitted before and norm statistics taken anew after, from the retain set.
        """
        copy = deepcopy(model).to(context.device)
        retain, forget = sets["retain"], sets["forget"]
        if self.guarantee is Guarantee.EXACT or isinstance(retain, Sealed):
            return self._unlearn(copy, retain, forget, context)
        if context.base is None:  # a child keeps the scalers of the base it was trained from
            context.recipe.prepare(copy, retain)
        outcome = self._unlearn(copy, retain, forget, context)
        norms.recompute(outcome.model, retain, context, context.recipe.augment)
        return outcome

    def _check(self, outcome: Outcome, layers: dict[str, int]) -> None:
        if outcome.edited == 0 or not layers:
            raise NothingTouched(
                f"{self.title} changed no parameter of the model"
                f"{' in its own step' if layers else ''}, so nothing was unlearned."
            )
        for name, tensor in outcome.model.state_dict().items():
            if tensor.is_floating_point() and not torch.isfinite(tensor).all():
                raise WeightsNotFinite(
                    f"{self.title} left {name} with a value that is not finite."
                )


def _changed(before: nn.Module, after: nn.Module) -> dict[str, int]:
    """Return how many single weights of each parameter tensor changed, without those at zero.

    A model without parameters is judged by its buffers instead.
    """
    had = before.state_dict()
    has: dict[str, torch.Tensor] = dict(after.named_parameters())
    has = has or dict(after.named_buffers())
    counts = {name: _differing(had.get(name), tensor) for name, tensor in has.items()}
    return {name: number for name, number in counts.items() if number}


def _differing(old: torch.Tensor | None, new: torch.Tensor) -> int:
    if old is None or old.shape != new.shape:
        return new.numel()
    return int((old.cpu() != new.detach().cpu()).sum())
