"""On what exact unlearning is measured: data, recipe, and people who own the records."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch.utils.data import Subset, TensorDataset

from benchmarks.unlearning_cells import CLASSES, cifar, digits
from unlearning.core.replay.pinned import Pinned
from unlearning.core.sharding.placement import Subjects
from unlearning.recipes.digits import DigitsMLP
from unlearning.recipes.small_images import SmallImages

if TYPE_CHECKING:
    from pathlib import Path

    from torch import nn

    from benchmarks.unlearning_cells import Pair
    from unlearning.core.recipe import Recipe

SIZES = (1, 10, 50)  # records of those who leave
OTHERS = 5  # records of everybody else
WINDOW = 500  # records that a model looks at together


@dataclass(frozen=True, kw_only=True)
class Problem:
    """Data and a recipe; ``leaving`` people of each size ask for erasure, one after the other."""

    name: str
    recipe: Recipe
    train: Pair
    test: Pair
    leaving: int

    @property
    def size(self) -> int:
        """Number of training records."""
        return len(self.train[1])

    def source(self, holes: frozenset[int] = frozenset()) -> Pinned:
        """Return the training set without some of its records."""
        kept = [number for number in range(self.size) if number not in holes]
        return Pinned(Subset(TensorDataset(*self.train), kept), size=self.size, holes=holes)

    def accuracy(self, model: nn.Module) -> float:
        """Return the accuracy on the test set, in 0..1."""
        inputs, targets = self.test
        found = [
            self.recipe.predict(model, part).argmax(1) for part in torch.split(inputs, WINDOW)
        ]
        return float((torch.cat(found) == targets).float().mean())

    def people(self) -> dict[int, list[frozenset[int]]]:
        """Return those who leave, by how many records they have: a random set of records each."""
        order = np.random.default_rng(self.size).permutation(self.size).tolist()
        found: dict[int, list[frozenset[int]]] = {}
        for size in SIZES:
            found[size] = [
                frozenset(order.pop() for _ in range(size)) for _ in range(self.leaving)
            ]
        return found

    def owners(self, *, aware: bool) -> Subjects:
        """Return whose each record is; where placement is not aware of people, its own alone."""
        if not aware:
            return Subjects(of=[(f"record {number}",) for number in range(self.size)])
        names = {
            number: f"leaving {size} {place}"
            for size, each in self.people().items()
            for place, records in enumerate(each)
            for number in records
        }
        return Subjects(
            of=[(names.get(each, f"other {each // OTHERS}"),) for each in range(self.size)]
        )


def digits_problem(*, quick: bool) -> Problem:
    """Return the digits with a perceptron, as in the prototype of the specification."""
    train, test = digits(None)
    recipe = DigitsMLP(hidden=48, epochs=24, learning_rate=0.05)
    return Problem(
        name="digits", recipe=recipe, train=train, test=test, leaving=6 if quick else 15
    )


def cifar_problem(root: Path, *, quick: bool) -> Problem:
    """Return a part of CIFAR-10 with a thin residual network.

    Raises:
        NoImages: the folder is not laid out as train/<class>/* and test/<class>/*.
    """
    train, test = cifar(1000 if quick else 2000)(root)
    recipe = SmallImages(
        targets=CLASSES, size=32, width=8, epochs=3 if quick else 6, batch_size=32
    )
    return Problem(
        name="cifar10", recipe=recipe, train=train, test=test, leaving=1 if quick else 2
    )
