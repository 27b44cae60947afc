"""How far an unlearned model is from the retrained one, as the benchmarks of the field count it.

These are numbers for choosing and comparing methods. None of them is evidence that a person's
records were unlearned: that is what audits are for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from unlearning.core.examples import Held, windows

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import nn

    from unlearning.core.recipe import Recipe


class RatioUndefined(ZeroDivisionError):
    """The retrained model gets nothing right, so no accuracy can be compared with its own."""


@dataclass(frozen=True, kw_only=True)
class Sets:
    """What a model is measured on; ``validation`` and ``test`` were never trained on."""

    retain: Held
    forget: Held
    validation: Held
    test: Held


@dataclass(frozen=True, kw_only=True)
class Accuracies:
    """Shares of right answers, 0..1, in eval mode and without augmentation."""

    retain: float
    forget: float
    validation: float
    test: float


def losses(recipe: Recipe, model: nn.Module, examples: Held) -> NDArray[np.float64]:
    """Return the cross-entropy of each example, (n,)."""
    return _measured(recipe, model, examples)[0]


def accuracies(recipe: Recipe, model: nn.Module, sets: Sets) -> Accuracies:
    """Return the share of right answers on each set."""
    return Accuracies(
        retain=accuracy(recipe, model, sets.retain),
        forget=accuracy(recipe, model, sets.forget),
        validation=accuracy(recipe, model, sets.validation),
        test=accuracy(recipe, model, sets.test),
    )


def accuracy(recipe: Recipe, model: nn.Module, examples: Held) -> float:
    """Return the share of right answers on one set."""
    return float(_measured(recipe, model, examples)[1].mean())


def _measured(
    recipe: Recipe, model: nn.Module, examples: Held
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    device = next((each.device for each in model.state_dict().values()), torch.device("cpu"))
    found, right = [], []
    for batch in examples.batches(windows(len(examples))):
        assert batch is not None  # noqa: S101  (no window is empty)
        inputs, targets = (each.to(device) for each in batch)
        logits = recipe.predict(model, inputs).double()
        found.append(torch.nn.functional.cross_entropy(logits, targets, reduction="none").cpu())
        right.append((logits.argmax(1) == targets).cpu())
    return torch.cat(found).numpy(), torch.cat(right).numpy()


def retention_deviation(unlearned: Accuracies, retrained: Accuracies) -> float:
    """Return RetDev = |RR - 1| + |FR - 1| + |TR - 1|; 0 is that of the retrained model itself.

    RR, FR and TR are the accuracies on retain, forget and test set over those of the model that
    was retrained from the same initial weights (Cadet et al., "Deep Unlearn", EuroS&P 2025).

    Raises:
        RatioUndefined: the retrained model has accuracy 0 on one of the three.
    """
    pairs = (
        (unlearned.retain, retrained.retain),
        (unlearned.forget, retrained.forget),
        (unlearned.test, retrained.test),
    )
    if not all(theirs for _, theirs in pairs):
        raise RatioUndefined(
            "The retrained model has accuracy 0 on the retain, forget or test set, so RetDev is "
            "not defined; it is a measure for records, not for whole classes."
        )
    return sum(abs(ours / theirs - 1) for ours, theirs in pairs)
