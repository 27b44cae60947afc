"""The sets of a shadow experiment on digits, and procedures that it judges."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from torch.utils.data import TensorDataset

from audits.core.shadows import ShadowData
from benchmarks.unlearning_cells import CLASSES, digits
from unlearning.core.session import Session

if TYPE_CHECKING:
    from torch import nn

    from unlearning.core.examples import Examples
    from unlearning.core.recipe import Recipe

ERASED, CANARIES = 32, 8


@dataclass(frozen=True, kw_only=True)
class Nothing:
    """Trains as the recipe says, and does not unlearn at all."""

    recipe: Recipe

    def train(self, examples: Examples, seed: int) -> nn.Module:
        """Return the trained model."""
        return self.recipe.train(examples, Session(seed=seed))

    def unlearn(
        self, model: nn.Module, _retain: Examples, _forget: Examples, _seed: int
    ) -> nn.Module:
        """Return the model as it is."""
        return model


def digit_sets(retain: int) -> ShadowData:
    """Return the sets of an experiment with so many retained digits and 32 erased ones.

    Canaries have the label of the next class.
    """
    (images, labels), (others, targets) = digits(None)
    ends = [0, retain, retain + ERASED, retain + 2 * ERASED, retain + 2 * ERASED + CANARIES]
    parts = [slice(first, last) for first, last in pairwise(ends)]
    held = [(images[part], labels[part]) for part in parts]
    canaries = held[3][0], (held[3][1] + 1) % len(CLASSES)
    return ShadowData(
        retain=TensorDataset(*held[0]),
        forget=TensorDataset(*held[1]),
        twins=TensorDataset(*held[2]),
        canaries=TensorDataset(*canaries),
        test=TensorDataset(others, targets),
    )
