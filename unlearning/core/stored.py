"""Stored records as examples: their content is read once, decoded when it is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from torch import Tensor
from torch.utils.data import Dataset

if TYPE_CHECKING:
    from collections.abc import Iterable

    from unlearning.core.recipe import Recipe


class StoredRecord(Protocol):
    """What a view of records yields."""

    @property
    def content(self) -> bytes:
        """The stored bytes."""

    @property
    def target(self) -> str:
        """The label."""


class StoredExamples(Dataset[tuple[Tensor, ...]]):
    """The records of a view, in its order, as a recipe decodes them."""

    def __init__(self, recipe: Recipe, records: Iterable[StoredRecord]) -> None:
        self._recipe = recipe
        self._records = [(record.content, record.target) for record in records]

    def __len__(self) -> int:
        return len(self._records)

    @property
    def targets(self) -> list[str]:
        """The label of each record, in order."""
        return [target for _, target in self._records]

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        content, target = self._records[index]
        return self._recipe.decode(content, target)
