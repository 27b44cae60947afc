"""Who is who among scikit-learn's 1,797 digits: retained, forgotten, their twins, and the rest."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import Tensor

from audits.core.twins import Candidates, choose_twins

RETAINED = 1024
FORGOTTEN = 32
NEIGHBOURS = 8
NOISE = 0.1  # of a pixel's range


@dataclass(frozen=True, kw_only=True)
class Sets:
    """Indices into ``inputs`` [n, 64] and ``labels`` [n]."""

    inputs: Tensor
    labels: Tensor
    retain: Tensor
    forget: Tensor
    twins: Tensor
    test: Tensor

    def chosen(self, *, member: bool) -> Tensor:
        """Return what one arm learns besides the retained records, and then unlearns."""
        return self.forget if member else self.twins

    @property
    def around(self) -> Tensor:
        """Return copies of the forgotten records, shape [k, 8, 64]."""
        return neighbours(self.inputs[self.forget])


def shuffled() -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return inputs in [0, 1], labels, retained indices and the indices of everybody else."""
    data = load_digits()
    order = torch.as_tensor(np.random.default_rng(0).permutation(len(data.target)))
    inputs = torch.as_tensor(data.data / 16, dtype=torch.float32)[order]
    everybody = torch.arange(len(order))
    labels = torch.as_tensor(data.target)[order]
    return inputs, labels, everybody[:RETAINED], everybody[RETAINED:]


def with_forgotten(forget: Tensor, difficulty: Tensor) -> Sets:
    """Return the sets: twins have the label and nearly the difficulty of the record they replace.

    ``difficulty`` has one number for each record outside the retained ones.
    """
    inputs, labels, retain, others = shuffled()
    left = others[~torch.isin(others, forget)]
    hard = {int(record): float(value) for record, value in zip(others, difficulty, strict=True)}
    twins = left[
        choose_twins(_candidates(forget, labels, hard), _candidates(left, labels, hard), seed=1)
    ]
    return Sets(
        inputs=inputs,
        labels=labels,
        retain=retain,
        forget=forget,
        twins=twins,
        test=left[~torch.isin(left, twins)],
    )


def _candidates(records: Tensor, labels: Tensor, difficulty: dict[int, float]) -> Candidates:
    return Candidates(
        labels=labels[records].numpy(),
        position=np.array([difficulty[int(record)] for record in records]),
    )


def neighbours(records: Tensor) -> Tensor:
    """Return eight copies of each record: moved by half a pixel four ways, and with noise."""
    images = records.reshape(-1, 8, 8)
    moved = [
        ((images + torch.roll(images, step, axis)) / 2).flatten(1)
        for axis in (1, 2)
        for step in (-1, 1)
    ]
    draw = torch.Generator().manual_seed(7)
    noisy = [
        (records + NOISE * torch.randn(records.shape, generator=draw)).clamp(0, 1)
        for _ in range(NEIGHBOURS - len(moved))
    ]
    return torch.stack([*moved, *noisy], 1)
