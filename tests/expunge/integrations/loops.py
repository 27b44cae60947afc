"""What a loop of another library trains: records, a model, and a sink that is told."""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import torch
from safetensors.numpy import load
from torch.utils.data import DataLoader, Dataset, IterableDataset

if TYPE_CHECKING:
    from collections.abc import Iterator


ROOT = Path(__file__).parents[3]
ORDINALS = [10, 11, 12, 13, 14, 15]


class Records(Dataset[Any]):
    """Six rows of which the last is never drawn, with ``drop_last`` and batches of five."""

    ordinals = ORDINALS

    def __len__(self) -> int:
        return len(ORDINALS)

    def __getitem__(self, place) -> dict[str, torch.Tensor]:
        x = torch.tensor([float(place), 1.0])
        return {"x": x, "labels": x.sum()}


class Endless(IterableDataset[Any]):
    def __iter__(self) -> Iterator[Any]:
        yield from ({"x": torch.ones(2), "labels": torch.ones(()), "id": one} for one in ORDINALS)


class Model(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.head = torch.nn.Linear(2, 1)

    def forward(self, x, labels=None):
        loss = (self.head(x).squeeze(-1) - labels).square().mean()
        return {"loss": loss, "logits": self.head(x)}


class Told:
    """A sink that remembers."""

    snapshot = "snapshot-7"

    def __init__(self, restricted=0) -> None:
        self.restricted, self.failed = restricted, ""
        self.finished: Any = None

    def begin(self, start):
        self.start = start
        return "run-1"

    def finish(self, run, finish):
        self.finished = finish
        return "version-1"

    def fail(self, run, reason):
        self.failed = reason

    def check(self, run):
        return self.restricted

    @property
    def used(self):
        return list(self.finished.used)

    @property
    def names(self):
        return set(load(self.finished.weights))


def needs(package):
    """Skip where a package is not installed, without importing it; fail in `make integrations`."""
    if find_spec(package) is None:
        missing(f"{package} is not installed here.")


def missing(reason):
    if "EXPUNGE_TEST_INTEGRATIONS" in os.environ:
        pytest.fail(reason)
    pytest.skip(reason)


def loader(*, shuffle=False):
    return DataLoader(Records(), batch_size=4, drop_last=True, shuffle=shuffle)
