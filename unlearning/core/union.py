"""Both sets as one, for methods that shuffle what stays and what goes together."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import torch
from torch import Tensor, nn
from torch.utils.data import Dataset

from unlearning.core.examples import Pair, count

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from unlearning.core.examples import Examples
    from unlearning.core.recipe import Recipe
    from unlearning.core.training import Objective

RETAINED = -1
OnUnion: TypeAlias = "Callable[[Tensor, Tensor, Tensor], Tensor]"


class Union(Dataset[Pair]):
    """The retain set and, behind it, the forget set.

    A target is (label, place), where place counts within the forget set and is ``RETAINED`` in
    the retain set.
    """

    def __init__(self, retain: Examples, forget: Examples) -> None:
        """Join the two; nothing is read yet."""
        self._retain, self._forget = retain, forget
        self._kept = count(retain)

    def __len__(self) -> int:
        return self._kept + count(self._forget)

    def __getitem__(self, index: int) -> Pair:
        place = index - self._kept if index >= self._kept else RETAINED
        inputs, label = self._retain[index] if place == RETAINED else self._forget[place]
        return inputs, torch.stack([label, torch.full_like(label, place)])

    def parts(self, indices: Sequence[int]) -> Iterable[tuple[Examples, Sequence[int]]]:
        """Return the sets that these examples lie in, each with their places in it."""
        kept = [index for index in indices if index < self._kept]
        gone = [index - self._kept for index in indices if index >= self._kept]
        both = ((self._retain, kept), (self._forget, gone))
        return tuple((part, places) for part, places in both if places)


def by_lot(model: nn.Module, recipe: Recipe) -> Objective:
    """Return the loss on batches of a union in which what goes has random labels.

    They are uniform over all labels, the true one included, and drawn anew for every batch; on
    the processor, so that every device is given the same.
    """

    def relabelled(inputs: Tensor, labels: Tensor, places: Tensor) -> Tensor:
        drawn = torch.randint(len(recipe.targets), labels.shape).to(labels.device)
        return recipe.loss(model(inputs), torch.where(places == RETAINED, labels, drawn))

    return on_union(recipe, relabelled)


def on_union(recipe: Recipe, loss: OnUnion) -> Objective:
    """Return the objective that gives ``loss`` (inputs, labels, places) of each batch of a union.

    What is retained is augmented as in training, what is forgotten is not.
    """

    def objective(inputs: Tensor, targets: Tensor) -> Tensor:
        labels, places = targets.unbind(-1)
        kept = places == RETAINED
        if kept.any():
            inputs = inputs.clone()
            inputs[kept] = recipe.augment(inputs[kept])
        return loss(inputs, labels, places)

    return objective
