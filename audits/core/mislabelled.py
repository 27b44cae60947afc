"""Canaries: strangers under a wrong label, which an attack must see."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch.utils.data import Dataset

from unlearning.core.examples import count

if TYPE_CHECKING:
    from unlearning.core.examples import Examples


class Mislabelled(Dataset[tuple[torch.Tensor, ...]]):
    """Examples with the label of the next class: canaries that no honest model predicts."""

    def __init__(self, examples: Examples, classes: int) -> None:
        """Give each of ``examples`` the label of the next of so many classes."""
        self._examples = examples
        self._classes = classes

    def __len__(self) -> int:
        return count(self._examples)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, ...]:
        inputs, target = self._examples[index]
        return inputs, (target + 1) % self._classes
