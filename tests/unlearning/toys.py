"""Tiny recipes and data on which every method can be tried in milliseconds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.utils.data import Dataset, TensorDataset

from unlearning.core.context import Context
from unlearning.core.gradient_recipe import GradientRecipe

CPU = torch.device("cpu")


@dataclass(frozen=True, kw_only=True)
class Toy(GradientRecipe):
    """Four numbers in, three classes out, dropout in between."""

    title: ClassVar[str] = "Toy"
    family: ClassVar[str] = "toys"

    targets: tuple[str, ...] = ("a", "b", "c")
    epochs: int = 3
    batch_size: int = 8

    def build(self) -> nn.Module:
        return nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Dropout(0.5), nn.Linear(8, 3))

    def decode(self, content: bytes, target: str) -> tuple[Tensor, Tensor]:
        return torch.tensor([float(each) for each in content.split()]), self.label(target)

    def augment(self, inputs: Tensor) -> Tensor:
        return inputs + 0.01 * torch.randn(inputs.shape)


@dataclass(frozen=True, kw_only=True)
class Plain(Toy):
    """Nothing random after initialisation, so that a loop by hand can follow it."""

    def build(self) -> nn.Module:
        return nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 3))

    def augment(self, inputs: Tensor) -> Tensor:
        return inputs


@dataclass(frozen=True, kw_only=True)
class Normed(Plain):
    """Batch normalisation meets the input first, so that its statistics are those of the data."""

    def build(self) -> nn.Module:
        return nn.Sequential(nn.BatchNorm1d(4), nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3))


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


RETAIN = examples(21, seed=1)
FORGET = examples(6, seed=2)
NOTHING = examples(0, seed=3)


def whole() -> TensorDataset:
    pairs = zip(FORGET.tensors, RETAIN.tensors, strict=True)
    return TensorDataset(*(torch.cat(pair) for pair in pairs))


def original(recipe: Toy) -> nn.Module:
    """Return the model trained on both sets."""
    return recipe.train(whole(), Context(recipe=recipe, seed=99))


def equal(one: nn.Module, other: nn.Module) -> bool:
    mine, theirs = one.state_dict(), other.state_dict()
    return mine.keys() == theirs.keys() and all(
        torch.equal(mine[name], theirs[name]) for name in mine
    )
