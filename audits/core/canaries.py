"""How far a model leans towards the noise of canaries (``unlearning.core.canaries``)."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import torch

from audits.core.scores import evaluating
from unlearning.core.canaries import noise

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor, nn

    Floats: TypeAlias = NDArray[np.float64]


def alignments(
    model: nn.Module, inputs: Tensor, labels: Tensor, seed: int, *, batch_size: int = 512
) -> Floats:
    """Return how far the model's margin rises along each canary's noise, shape [m].

    It is the product of the unit noise with the normalised gradient of the margin at the clean
    input. The gradient of the cross-entropy has exactly the opposite direction, so that this is
    minus the published statistic; but in float32 it may be 0 where a model is sure.
    A model trained on the noisy inputs has a higher margin there: higher = member. The gradient
    is taken at the clean input, since at the noisy one it would depend on the noise itself.

    Args:
        model: a classifier, whose modes and gradients are left as they are.
        inputs: the clean inputs, as they were given to ``plant``, shape [m, ...].
        labels: class numbers, shape [m].
        seed: the one that planted them.
        batch_size: canaries to a forward pass; it does not change the result.

    Returns:
        NaN where a model is flat at a canary. That says nothing of the noise.
    """
    device = next((parameter.device for parameter in model.parameters()), torch.device("cpu"))
    gradients = []
    with evaluating(model), torch.enable_grad():
        for start in range(0, len(inputs), batch_size):
            some = slice(start, start + batch_size)
            gradients.append(_gradients(model, inputs[some].to(device), labels[some].to(device)))
    slopes = np.concatenate(gradients)
    drawn = noise(tuple(inputs.shape), seed).reshape(slopes.shape)
    with np.errstate(divide="ignore", invalid="ignore"):
        found = (drawn * slopes).sum(1) / np.linalg.norm(slopes, axis=1)
    return np.where(np.isfinite(found), found, np.nan)


def _gradients(model: nn.Module, inputs: Tensor, labels: Tensor) -> Floats:
    """Return the gradient of each margin by its input, flattened, shape [m, features]."""
    inputs = inputs.detach().clone().requires_grad_()
    logits = model(inputs)
    own = torch.nn.functional.one_hot(labels.long(), logits.shape[1]).bool()
    others = logits.masked_fill(own, -torch.inf).logsumexp(1)
    margins = logits[own] - others
    (slopes,) = torch.autograd.grad(margins.sum(), inputs)
    return np.asarray(slopes.flatten(1).cpu().double().numpy(), np.float64)
