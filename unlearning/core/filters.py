"""What the filters of convolutions answer, and single filters started anew."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from unlearning.core.norms import batch_norms
from unlearning.core.renewal import kaiming

if TYPE_CHECKING:
    from collections.abc import Mapping


@torch.no_grad()
def responses(
    model: nn.Module, layers: Mapping[str, nn.Module], inputs: Tensor
) -> dict[str, Tensor]:
    """Return the summed absolute answer of each filter of these layers to a batch."""
    found: dict[str, Tensor] = {}
    hooks = [
        layer.register_forward_hook(partial(_note, found, name)) for name, layer in layers.items()
    ]
    try:
        model(inputs)
    finally:
        for hook in hooks:
            hook.remove()
    return found


def _note(
    found: dict[str, Tensor], name: str, _layer: nn.Module, _args: object, output: Tensor
) -> None:
    found[name] = output.abs().sum(dim=(0, 2, 3))


@torch.no_grad()
def start_anew(model: nn.Module, layer: nn.Module, chosen: Tensor) -> int:
    """Draw the chosen filters of a layer anew; return how many single weights that concerns.

    Their biases become 0, and the norm behind the layer leaves them as they are. What is frozen
    stays.
    """
    weight = layer.get_parameter("weight")
    mask = chosen.view(-1, *[1] * (weight.dim() - 1)).expand_as(weight)
    weight.copy_(torch.where(mask, kaiming(weight), weight))
    for vector, start in _vectors(model, layer):
        if vector.requires_grad:
            vector[chosen] = start
    return int(mask.sum())


def _vectors(model: nn.Module, layer: nn.Module) -> list[tuple[nn.Parameter, float]]:
    """Return what belongs to single filters beside their kernels, and where it begins."""
    own = [(each, 0.0) for name, each in layer.named_parameters() if name == "bias"]
    norm = norm_behind(model, layer)
    if norm is None:
        return own
    begins = {"weight": 1.0, "bias": 0.0}
    return own + [(each, begins[name]) for name, each in norm.named_parameters()]


def norm_behind(model: nn.Module, layer: nn.Module) -> nn.Module | None:
    """Return the batch normalisation that is registered right behind a layer, if one is."""
    leaves = [each for each in model.modules() if not any(True for _ in each.children())]
    place = next(number for number, each in enumerate(leaves) if each is layer)
    behind = leaves[place + 1 : place + 2]
    return behind[0] if behind and any(behind[0] is each for each in batch_norms(model)) else None
