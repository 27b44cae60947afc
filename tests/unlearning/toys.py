"""Tiny recipes and data on which every method can be tried in milliseconds."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, ClassVar

import torch
from torch import Tensor, nn
from torch.utils.data import Dataset, TensorDataset

from unlearning.core.certified.budget import Budget
from unlearning.core.certified.head import CertifiedHead
from unlearning.core.context import Context
from unlearning.core.gradient_recipe import GradientRecipe
from unlearning.core.history import History
from unlearning.core.order import Plan
from unlearning.core.replay.engine import Trainer
from unlearning.core.replay.pinned import Pinned
from unlearning.core.replay.rewind import Rewind
from unlearning.core.replay.store import MemoryStore
from unlearning.core.statistics.gaussian import GaussianBayes
from unlearning.core.statistics.module import CountedModel

if TYPE_CHECKING:
    from unlearning.core.examples import Held
    from unlearning.core.session import Session

CPU = torch.device("cpu")


@dataclass(frozen=True, kw_only=True)
class Toy(GradientRecipe):
    """Four numbers in, three classes out, dropout in between."""

    title: ClassVar[str] = "Toy"
    family: ClassVar[str] = "toys"

    targets: tuple[str, ...] = ("a", "b", "c")
    epochs: int = 3
    batch_size: int = 8
    edits: str = "TRAINABLE"  # the layers that a method wants to find

    def build(self) -> nn.Module:
        return self.network(nn.Linear(4, 8), nn.ReLU(), nn.Dropout(0.5))

    def network(self, *layers: nn.Module) -> nn.Module:
        """Return these layers, which end in eight numbers, with a classifier behind them."""
        if self.edits == "HEAD":
            kept = [layer for layer in layers if not isinstance(layer, nn.Linear)]
            return nn.Sequential(*kept, nn.Linear(4, 3))
        return nn.Sequential(*layers, *self._more(), nn.Linear(8, 3))

    def _more(self) -> list[nn.Module]:
        if self.edits == "BLOCKS":
            return [nn.Linear(8, 8), nn.Tanh()]
        if "CONVOLUTIONS" in self.edits:
            convolution = nn.Conv2d(1, 4, 3, padding=1, stride=2)
            return [nn.Unflatten(1, (1, 2, 4)), convolution, nn.ReLU(), nn.Flatten()]
        return []

    def decode(self, content: bytes, target: str) -> tuple[Tensor, Tensor]:
        return torch.tensor([float(each) for each in content.split()]), self.label(target)

    def augment(self, inputs: Tensor) -> Tensor:
        return inputs + 0.01 * torch.randn(inputs.shape)


@dataclass(frozen=True, kw_only=True)
class Plain(Toy):
    """Nothing random after initialisation, so that a loop by hand can follow it."""

    def build(self) -> nn.Module:
        return self.network(nn.Linear(4, 8), nn.Tanh())

    def augment(self, inputs: Tensor) -> Tensor:
        return inputs


@dataclass(frozen=True, kw_only=True)
class Filters(Plain):
    """Twelve filters and a classifier."""

    def build(self) -> nn.Module:
        convolution = nn.Conv2d(1, 12, 3, padding=1)
        return nn.Sequential(
            nn.Unflatten(1, (1, 2, 2)), convolution, nn.Tanh(), nn.Flatten(), nn.Linear(48, 3)
        )


@dataclass(frozen=True, kw_only=True)
class Normed(Plain):
    """Batch normalisation meets the input first, so that its statistics are those of the data."""

    def build(self) -> nn.Module:
        return self.network(
            nn.BatchNorm1d(4, affine=self.edits != "HEAD"), nn.Linear(4, 8), nn.ReLU()
        )


@dataclass(frozen=True, kw_only=True)
class Shaken(Normed):
    """The same with noise on what is trained on."""

    def augment(self, inputs: Tensor) -> Tensor:
        return inputs + 0.01 * torch.randn(inputs.shape)


@dataclass(frozen=True, kw_only=True)
class HalfFrozen(Toy):
    """A first layer that training must not move."""

    def build(self) -> nn.Module:
        model = super().build()
        model.get_submodule("0").requires_grad_(requires_grad=False)
        return model


@dataclass(frozen=True, kw_only=True)
class Lacking(Toy):
    """A model that lacks the layers in ``edits``, whichever they are."""

    def build(self) -> nn.Module:
        if self.edits in {"BLOCKS", "CONVOLUTIONS", "SQUARE_CONVOLUTIONS"}:
            return nn.Sequential(nn.Linear(4, 3))
        if self.edits in {"MATRICES", "PROJECTED"}:
            return nn.Bilinear(4, 4, 3)
        return nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3))


@dataclass(frozen=True, kw_only=True)
class Counting(Toy):
    """Naive Bayes on integer sums."""

    def build(self) -> nn.Module:
        return CountedModel(GaussianBayes(columns=4, outputs=3))

    def _fit(self, model: nn.Module, examples: Held, session: Session) -> nn.Module:
        assert isinstance(model, CountedModel)
        model.learn(*examples.all())
        return model


@dataclass(frozen=True, kw_only=True)
class Budgeted(Toy):
    """A head whose budget is ample."""

    def build(self) -> nn.Module:
        budget = Budget(epsilon=1.0, delta=1e-4, sigma=50.0)
        return CertifiedHead(4, 3, penalty=1.0, budget=budget)

    def _fit(self, model: nn.Module, examples: Held, session: Session) -> nn.Module:
        assert isinstance(model, CertifiedHead)
        model.fit(*examples.all())
        return model


class Untouchable(Dataset[tuple[Tensor, Tensor]]):
    """A set that nobody may read or even count."""

    def __len__(self) -> int:
        raise AssertionError("counted")

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        raise AssertionError("read")


def examples(size: int, seed: int) -> TensorDataset:
    generator = torch.Generator().manual_seed(seed)
    inputs = torch.randn(size, 4, generator=generator)
    return TensorDataset(inputs, torch.randint(0, 3, (size,), generator=generator))


def of_classes(data: TensorDataset, *classes: int) -> TensorDataset:
    """Return the examples of some classes."""
    chosen = torch.isin(data.tensors[1], torch.tensor(classes))
    return TensorDataset(*(tensor[chosen] for tensor in data.tensors))


RETAIN = examples(21, seed=1)
FORGET = examples(6, seed=2)
NOTHING = examples(0, seed=3)
HELD_OUT = examples(9, seed=4)
WHOLE_CLASS = of_classes(examples(33, seed=1), 0, 1), of_classes(examples(18, seed=2), 2)


def whole() -> TensorDataset:
    pairs = zip(FORGET.tensors, RETAIN.tensors, strict=True)
    return TensorDataset(*(torch.cat(pair) for pair in pairs))


def original(recipe: Toy) -> nn.Module:
    """Return the model trained on both sets."""
    return deepcopy(_original(recipe))


@cache
def _original(recipe: Toy) -> nn.Module:
    return recipe.train(whole(), Context(recipe=recipe, seed=99))


def history(recipe: Toy) -> History:
    """Return an account of the last epoch of a training on both sets."""
    return deepcopy(_history(recipe))


@cache
def _history(recipe: Toy) -> History:
    start = replace(recipe, epochs=recipe.epochs - 1)
    before = start.train(whole(), Context(recipe=start, seed=99))
    plan = Plan(size=len(whole()), batch_size=recipe.batch_size, epochs=1, seed=5)
    first = len(FORGET)
    kept = tuple(tuple(each - first for each in batch if each >= first) for batch in plan)
    return History(
        weights=before.state_dict(),
        memory={},
        batches=kept,
        rates=(0.5,) * plan.steps,
        holes=first,
    )


def rewind(recipe: Toy, seed: int) -> Rewind:
    """Return a recorded training on both sets, in which the first records are to be holes."""
    return replace(_rewind(recipe, seed), store=deepcopy(_rewind(recipe, seed).store))


@cache
def _rewind(recipe: Toy, seed: int) -> Rewind:
    store, secret, data = MemoryStore(), b"of the toys", whole()
    session = Context(recipe=recipe, seed=seed)
    training = Trainer(recipe=recipe, session=session, store=store, secret=secret, content="toys")
    return Rewind(
        origin=training.record("first", Pinned(data, size=len(data))).recording,
        store=store,
        secret=secret,
        run="again",
        holes=frozenset(range(len(FORGET))),
    )


def equal(one: nn.Module, other: nn.Module) -> bool:
    mine, theirs = one.state_dict(), other.state_dict()
    return mine.keys() == theirs.keys() and all(
        torch.equal(mine[name], theirs[name]) for name in mine
    )
