"""Parts of a model set back to where a training would begin."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch.nn.init import kaiming_normal_

from unlearning.core.norms import batch_norms

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from torch import Tensor, nn

    from unlearning.core.context import Context


class NothingRenewed(RuntimeError):
    """A weight begins as it was, so that what it learned is still there."""


def renew(model: nn.Module, modules: Sequence[nn.Module], context: Context) -> int:
    """Set these modules back, in place; return how many single weights that concerns.

    Each trainable weight, at any depth, takes the value with which the recipe begins, drawn from
    torch's global random state; so do the statistics of batch normalisation. What is frozen stays.

    Raises:
        NothingRenewed: the recipe begins with the very weights that the model has.
    """
    fresh = context.recipe.start(context.base).to(context.device)
    chosen = {id(each) for module in modules for each in module.modules()}
    norms = {id(layer) for layer in batch_norms(model)}
    renewed = 0
    for name, module in model.named_modules():
        if id(module) in chosen:
            source = fresh.get_submodule(name)
            renewed += _renew_weights(name, module, source)
            if id(module) in norms:
                _copy(dict(module.named_buffers()), dict(source.named_buffers()))
    return renewed


def _renew_weights(name: str, module: nn.Module, source: nn.Module) -> int:
    """Renew what a module holds itself, not through its children."""
    old = {n: w for n, w in module.named_parameters(recurse=False) if w.requires_grad}
    new = dict(source.named_parameters(recurse=False))
    for each, weight in old.items():
        if weight.dim() > 1 and torch.equal(weight, new[each]):
            raise NothingRenewed(
                f"The recipe begins with the {name}.{each} that the model has, so setting it back "
                f"changes nothing; retrain the model instead."
            )
    _copy(old, new)
    return sum(weight.numel() for weight in old.values())


@torch.no_grad()
def _copy(old: Mapping[str, Tensor], new: Mapping[str, Tensor]) -> None:
    for name, tensor in old.items():
        tensor.copy_(new[name])


def kaiming(weight: Tensor) -> Tensor:
    """Return new values for a weight: He et al.'s normal distribution by fan-out, for ReLU.

    They are drawn on the processor, so that every device is given the same.
    """
    drawn = torch.empty(weight.shape, dtype=weight.dtype)
    return kaiming_normal_(drawn, mode="fan_out", nonlinearity="relu").to(weight.device)
