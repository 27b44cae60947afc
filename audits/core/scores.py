"""The membership score of a record under a model: how sure the model is of its label."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import torch
from torch.utils.data import DataLoader

from audits.core.features import Outputs
from unlearning.core.examples import gathered

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import ArrayLike, NDArray
    from torch import Tensor, nn

    from unlearning.core.examples import Examples

    Floats: TypeAlias = NDArray[np.float64]
    Flags: TypeAlias = NDArray[np.bool_]


def margin(logits: Tensor | ArrayLike, targets: Tensor | ArrayLike) -> Floats:
    """Return the label's logit minus logsumexp of the others, in float64, shape [n].

    Args:
        logits: shape [n, classes], any floating type, on any device.
        targets: class numbers, shape [n].

    Raises:
        OutputsRefused: the shapes do not fit, or a target is not a class.
    """
    return outputs(logits, targets).margin


def negative_squared_error(predictions: Tensor | ArrayLike, targets: Tensor | ArrayLike) -> Floats:
    """Return a regression's score: minus the squared error, summed over outputs, shape [n]."""
    wrong = _floats(predictions) - _floats(targets)
    return np.asarray(-(wrong.reshape(len(wrong), -1) ** 2).sum(1), np.float64)


def outputs(logits: Tensor | ArrayLike, targets: Tensor | ArrayLike) -> Outputs:
    """Return logits and labels as arrays. Raises OutputsRefused where they do not fit."""
    return Outputs(logits=_floats(logits), labels=_floats(targets).astype(np.int64))


def outputs_of(model: nn.Module, examples: Examples, batch_size: int = 512) -> Outputs:
    """Return a classifier's outputs on labelled examples, in their order.

    The model is evaluated on the device where it is; training modes and the global random state
    are left as they were found.
    """
    device = next((parameter.device for parameter in model.parameters()), torch.device("cpu"))
    logits, labels = [], []
    with evaluating(model), torch.no_grad():
        for inputs, targets in _batches(examples, batch_size):
            logits.append(_floats(model(inputs.to(device))))
            labels.append(_floats(targets).astype(np.int64))
    return Outputs(logits=np.concatenate(logits), labels=np.concatenate(labels))


def _batches(examples: Examples, batch_size: int) -> Iterator[Sequence[Tensor]]:
    if (whole := gathered(examples)) is not None:
        return zip(*(torch.split(each, batch_size) for each in whole), strict=True)
    # The loader draws a seed from its generator; by default that would be the global one.
    return iter(DataLoader(examples, batch_size=batch_size, generator=torch.Generator()))


def scores_of(model: nn.Module, examples: Examples, batch_size: int = 512) -> tuple[Floats, Flags]:
    """Return the margin and the correctness of every example, shape [n] each."""
    found = outputs_of(model, examples, batch_size)
    return found.margin, found.correct


@contextmanager
def evaluating(model: nn.Module) -> Iterator[None]:
    """Put a model in evaluation mode, and each of its modules back as it was."""
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        yield
    finally:
        for module, training in modes:
            module.training = training


def _floats(values: Tensor | ArrayLike) -> Floats:
    if isinstance(values, torch.Tensor):
        values = values.detach().to("cpu", torch.float64).numpy()
    return np.array(values, np.float64)
