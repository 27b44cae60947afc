"""The five pairs of network and optimiser of the test matrix, on made-up data, in milliseconds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.utils.data import Subset, TensorDataset

from unlearning.core.gradient_recipe import GradientRecipe
from unlearning.core.replay.engine import Trainer
from unlearning.core.replay.pinned import Pinned
from unlearning.core.replay.store import MemoryStore, Store
from unlearning.core.session import Session

SIZE = 90
SECRET = b"a secret of the tests"
CLASSES = 10


@dataclass(frozen=True, kw_only=True)
class Pair(GradientRecipe):
    """A network on 8 x 8 inputs and the optimiser that trains it."""

    title: ClassVar[str] = "Pair"
    family: ClassVar[str] = "pairs"

    targets: tuple[str, ...] = tuple("0123456789")
    network: str = "mlp"
    trained_by: str = "sgd"
    learning_rate: float = 0.05
    batch_size: int = 8
    epochs: int = 2

    def build(self) -> nn.Module:
        return nn.Sequential(nn.Flatten(), *_layers(self.network))

    def optimizer(self, weights):
        if self.trained_by == "adam":
            return torch.optim.Adam(weights, lr=self.learning_rate / 10)
        if self.trained_by == "adamw":
            return torch.optim.AdamW(weights, lr=self.learning_rate / 10)
        momentum = 0.9 if self.trained_by == "momentum" else 0.0
        return torch.optim.SGD(weights, lr=self.learning_rate, momentum=momentum)

    def decode(self, content: bytes, target: str) -> tuple[Tensor, Tensor]:
        raise NotImplementedError


def _layers(network: str) -> list[nn.Module]:
    if network == "cnn+bn+dropout":
        return [
            nn.Unflatten(1, (1, 8, 8)),
            nn.Conv2d(1, 4, 3, padding=1),
            nn.BatchNorm2d(4),
            nn.ReLU(),
            nn.AdaptiveAvgPool2d(2),
            nn.Flatten(),
            nn.Dropout(0.2),
            nn.Linear(16, CLASSES),
        ]
    norm = [nn.BatchNorm1d(16)] if "bn" in network else []
    drop = [nn.Dropout(0.3)] if "dropout" in network else []
    return [nn.Linear(64, 16), *norm, nn.ReLU(), *drop, nn.Linear(16, CLASSES)]


PAIRS = [
    Pair(network="mlp", trained_by="sgd"),
    Pair(network="mlp", trained_by="adam"),
    Pair(network="mlp+dropout", trained_by="adamw"),
    Pair(network="mlp+bn+dropout", trained_by="momentum"),
    Pair(network="cnn+bn+dropout", trained_by="adam"),
]


def records(size: int = SIZE) -> TensorDataset:
    generator = torch.Generator().manual_seed(8)
    targets = torch.arange(size) % CLASSES
    inputs = torch.randn(size, 1, 8, 8, generator=generator) + targets[:, None, None, None] / 5
    return TensorDataset(inputs, targets)


RECORDS = records()


def without(*holes: int) -> Pinned:
    """Return the training set with these records gone."""
    kept = [number for number in range(SIZE) if number not in holes]
    return Pinned(Subset(RECORDS, kept), size=SIZE, holes=holes)


def trainer(recipe=PAIRS[3], store: Store | None = None, every: int | None = 3) -> Trainer:
    return Trainer(
        recipe=recipe,
        session=Session(seed=11),
        store=MemoryStore() if store is None else store,
        secret=SECRET,
        content="made-up",
        every=every,
    )


def late(recipe, count: int = 3) -> tuple[int, ...]:
    """Return the records that training uses last in its first epoch."""
    plan = recipe.plan(SIZE, 11)
    order = [number for batch in plan.epoch(0) for number in batch]
    return tuple(order[-count - 10 : -10])
