"""Records that are drawn, and notes of what was drawn."""

from __future__ import annotations

from typing import Any

import torch
from torch.utils.data import DataLoader, Dataset


class Numbers(Dataset[torch.Tensor]):
    """Position p holds ordinal 1000 + 3 * p and yields it."""

    def __init__(self, size=20) -> None:
        self.ordinals = [1000 + 3 * position for position in range(size)]

    def __len__(self) -> int:
        return len(self.ordinals)

    def __getitem__(self, position) -> torch.Tensor:
        return torch.tensor(self.ordinals[position])


def seeded(seed=1):
    generator = torch.Generator()
    generator.manual_seed(seed)
    return generator


def loader(size=20, **options: Any):  # noqa: ANN401  (whatever a DataLoader takes)
    given: dict[str, Any] = {"batch_size": 6, "shuffle": True, "generator": seeded(), **options}
    return DataLoader(Numbers(size), **given)
