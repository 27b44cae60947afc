"""Canaries: records that are planted to be measured, and what is kept of them.

Only a seed is secret and only it is kept. It gives the coins that decided which canaries were
trained on, and the noise that was added to them. The noise is numpy's, from PCG-64: whoever holds
the model must not hold the seed, and no more is asked of the generator.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import torch

from audits.core.scores import evaluating

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor, nn

    Floats: TypeAlias = NDArray[np.float64]
    Flags: TypeAlias = NDArray[np.bool_]

SEED_BITS = 256
COINS, NOISE = 0, 1


def new_seed() -> int:
    """Return a seed of 256 bits from the operating system, to be kept apart from the data."""
    return secrets.randbits(SEED_BITS)


def coins(count: int, seed: int) -> Flags:
    """Return which of ``count`` canaries to include, each by a fair coin, shape [count]."""
    return _generator(seed, COINS).integers(0, 2, count).astype(np.bool_)


def plant(inputs: Tensor, seed: int, *, size: float) -> Tensor:
    """Return inputs with Gaussian noise of standard deviation ``size``, to be trained on.

    The noise is not returned and need not be stored: the seed gives it again. Do not clip or
    round what is returned more than training needs. It costs power and never validity.

    Args:
        inputs: floating point, shape [m, ...], one canary per row.
        seed: from ``new_seed``.
        size: in the unit of the inputs, above 0.

    Raises:
        ValueError: the size is not above zero.
    """
    if not size > 0:
        raise ValueError(f"size is {size}; the noise of a canary must be above 0.")
    noise = torch.from_numpy(_noise(tuple(inputs.shape), seed))
    return (inputs.double().cpu() + size * noise).to(inputs)


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
    noise = _noise(tuple(inputs.shape), seed).reshape(slopes.shape)
    with np.errstate(divide="ignore", invalid="ignore"):
        found = (noise * slopes).sum(1) / np.linalg.norm(slopes, axis=1)
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


def _noise(shape: tuple[int, ...], seed: int) -> Floats:
    return _generator(seed, NOISE).standard_normal(shape)


def _generator(seed: int, purpose: int) -> np.random.Generator:
    """Return a generator for one purpose, unrelated to those for others."""
    return np.random.default_rng([seed, purpose])
