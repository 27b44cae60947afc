"""The five pairs of network and optimiser on which a replay must give the bits of a retraining."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import torch
from torch import nn

from unlearning.core.replay.engine import Trainer
from unlearning.core.session import Session
from unlearning.recipes.digits import SIDE, Digits

if TYPE_CHECKING:
    from collections.abc import Iterable

    from unlearning.core.replay.store import Store

SECRET = b"of the benchmark, which has no secrets"
HIDDEN, CHANNELS = 32, 8


@dataclass(frozen=True, kw_only=True)
class Pair(Digits):
    """A network on digits, with batch normalisation and dropout or without, and an optimiser."""

    title: ClassVar[str] = "Digits, pair of network and optimiser"

    network: str = "mlp"
    trained_by: str = "sgd"
    learning_rate: float = 0.05
    epochs: int = 2

    def build(self) -> nn.Module:
        """Return the untrained network."""
        if self.network.startswith("cnn"):
            return nn.Sequential(*_convolutions(), nn.Linear(4 * CHANNELS, len(self.targets)))
        norm = [nn.BatchNorm1d(HIDDEN)] if "bn" in self.network else []
        drop = [nn.Dropout(0.3)] if "dropout" in self.network else []
        first = nn.Linear(SIDE * SIDE, HIDDEN)
        last = nn.Linear(HIDDEN, len(self.targets))
        return nn.Sequential(nn.Flatten(), first, *norm, nn.ReLU(), *drop, last)

    def optimizer(self, weights: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
        """Return the optimiser of the pair."""
        if self.trained_by == "adam":
            return torch.optim.Adam(weights, lr=self.learning_rate / 10)
        if self.trained_by == "adamw":
            return torch.optim.AdamW(weights, lr=self.learning_rate / 10)
        momentum = self.momentum if self.trained_by == "momentum" else 0.0
        return torch.optim.SGD(weights, lr=self.learning_rate, momentum=momentum)


def _convolutions() -> list[nn.Module]:
    return [
        nn.Conv2d(1, CHANNELS, 3, padding=1),
        nn.BatchNorm2d(CHANNELS),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(2),
        nn.Flatten(),
        nn.Dropout(0.2),
    ]


PAIRS = (
    Pair(network="mlp", trained_by="sgd"),
    Pair(network="mlp", trained_by="adam"),
    Pair(network="mlp+dropout", trained_by="adamw"),
    Pair(network="mlp+bn+dropout", trained_by="momentum"),
    Pair(network="cnn+bn+dropout", trained_by="adam"),
)


def trainer(recipe: Pair, store: Store, seed: int = 11) -> Trainer:
    """Return what records and replays a pair."""
    return Trainer(
        recipe=recipe,
        session=Session(seed=seed),
        store=store,
        secret=SECRET,
        content="digits",
        every=4,
    )
