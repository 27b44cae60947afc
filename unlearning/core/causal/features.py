"""What the last layer of a model sees of each record."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from sklearn.decomposition import PCA
from torch import nn

from unlearning.core.blocks import classifier
from unlearning.core.claims import NotEligible
from unlearning.core.gradients import visits
from unlearning.core.modes import evaluating

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    from unlearning.core.examples import Examples
    from unlearning.core.session import Session

HEAD = 4000  # weights of a head at most: its Hessian is that number squared
FEWEST = 8  # features: below that the head cannot tell records apart


class NotMeasurable(ValueError):
    """Influence cannot be measured on this model or with these records; the sentence says why."""


def features_of(
    model: nn.Module, examples: Examples, session: Session
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return (n, d) inputs of the last layer, scaled to a mean squared length of 1, and labels.

    Raises:
        NotMeasurable: the model does not end in a linear layer, or the labels are no classes.
    """
    layer = _last(model)
    seen: list[Tensor] = []
    handle = layer.register_forward_pre_hook(lambda _, given: seen.append(given[0].detach()))
    try:
        labels = []
        with evaluating(model), torch.no_grad():
            for inputs, targets in visits(examples, session, "features"):
                model(inputs)
                labels.append(targets.cpu())
    finally:
        handle.remove()
    if len(seen) != len(labels) or any(each.dim() != 2 for each in seen):  # noqa: PLR2004  (n, d)
        raise NotMeasurable(
            "The last layer of the model is not passed once for each record, so there is no one "
            "gradient of a record to compare."
        )
    found = torch.cat(seen).cpu().double().numpy()
    return _scaled(found), torch.cat(labels).long().numpy()


def _last(model: nn.Module) -> nn.Linear:
    try:
        layer = classifier(model)
    except NotEligible:
        layer = model
    if not isinstance(layer, nn.Linear):
        raise NotMeasurable(
            f"{type(model).__name__} does not end in a linear layer, so its records have no "
            "gradients to compare; choose the records by hand."
        )
    return layer


def _scaled(found: NDArray[np.float64]) -> NDArray[np.float64]:
    size = np.sqrt((found**2).sum(axis=1).mean())
    if not np.isfinite(size) or size == 0:
        raise NotMeasurable("The last layer sees the same of every record, or no finite numbers.")
    return np.asarray(found / size)


def narrowed(features: NDArray[np.float64], classes: int) -> NDArray[np.float64]:
    """Return at most as many principal features as leave a head of ``HEAD`` weights.

    Raises:
        NotMeasurable: fewer than ``FEWEST`` would be left.
    """
    most = HEAD // classes - 1
    if features.shape[1] <= most:
        return features
    if most < FEWEST:
        raise NotMeasurable(
            f"The model tells {classes} classes apart; influence is measured for at most "
            f"{HEAD // (FEWEST + 1)}."
        )
    reduced = PCA(n_components=most, svd_solver="randomized", random_state=0)
    return np.asarray(reduced.fit_transform(features))
