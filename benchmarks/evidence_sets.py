"""The sets of a shadow experiment on digits, and procedures that it judges."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from torch.utils.data import TensorDataset

from audits.core.design import derived_seed
from audits.core.neighbours import Copies
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


def batch_sets(retain: int, people: int, asking: int, seed: int) -> ShadowData:
    """Return the sets of an experiment that serves the first ``asking`` of so many people.

    All of them are in the data set with 32 digits each, beside ``retain`` of others; whoever does
    not ask is retained. There are copies of what is asked about, as an audit makes them.
    """
    (images, labels), (others, targets) = digits(None)
    asked, known = ERASED * asking, retain + ERASED * people
    ends = [0, asked, known, known + asked, known + asked + CANARIES]
    parts = [slice(first, last) for first, last in pairwise(ends)]
    forget, stay, twins, canaries = [(images[part], labels[part]) for part in parts]
    made = Copies(seed=derived_seed(seed, "copies")).around(forget[0], stay[0].std(0))
    return ShadowData(
        retain=TensorDataset(*stay),
        forget=TensorDataset(*forget),
        twins=TensorDataset(*twins),
        canaries=TensorDataset(canaries[0], (canaries[1] + 1) % len(CLASSES)),
        test=TensorDataset(others, targets),
        copies=TensorDataset(made.flatten(0, 1), forget[1].repeat_interleave(made.shape[1])),
        subjects=tuple(place // ERASED for place in range(asked)),
    )
