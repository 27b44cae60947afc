"""The second moments of what comes into a layer, its inputs laid out as its weight meets them."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, cast

import torch
from torch import Tensor, nn
from torch.nn.functional import unfold

from unlearning.core.claims import NotEligible
from unlearning.core.examples import count, windows
from unlearning.core.gradients import plain_attention, visits
from unlearning.core.modes import evaluating
from unlearning.core.training import check_finite

if TYPE_CHECKING:
    from collections.abc import Mapping

    from unlearning.core.context import Context
    from unlearning.core.examples import Examples


def check_layout(layers: Mapping[str, nn.Module], title: str) -> None:
    """Hold layers to what ``moments`` can lay out, for the method called ``title``.

    Raises:
        NotEligible: a convolution pads by something else than a number of zeros.
    """
    for name, layer in layers.items():
        if not isinstance(layer, nn.Conv2d):
            continue
        if layer.padding_mode != "zeros" or isinstance(layer.padding, str):
            raise NotEligible(
                f"{title} lays out the patches of a convolution, and {name or 'the model'} pads "
                f"by {layer.padding!r} in the mode {layer.padding_mode!r}; only numbers of zeros "
                f"are possible. Choose another method."
            )


def moments(
    model: nn.Module,
    layers: Mapping[str, nn.Module],
    examples: Examples,
    context: Context,
    name: str,
) -> dict[str, Tensor]:
    """Return A A^T of each layer that is used, (inputs, inputs), in eval mode.

    A has the flattened inputs of the layer as columns, of a convolution all its patches.

    Raises:
        LossNotFinite: at the first such batch.
    """
    found: dict[str, Tensor] = {}
    hooks = [
        layer.register_forward_pre_hook(partial(_note, found, each))
        for each, layer in layers.items()
    ]
    try:
        with evaluating(model), torch.no_grad(), plain_attention():
            for step, (inputs, targets) in enumerate(visits(examples, context, name)):
                loss = context.recipe.loss(model(inputs), targets)
                check_finite(loss.item(), name, step, len(windows(count(examples))))
    finally:
        for hook in hooks:
            hook.remove()
    return found


def _note(found: dict[str, Tensor], name: str, layer: nn.Module, args: tuple[Tensor]) -> None:
    """Add the inputs of a layer, times their transpose, to what is found of it."""
    inputs = args[0].double()
    if isinstance(layer, nn.Conv2d):
        padding = cast("tuple[int, ...]", layer.padding)  # check_layout lets no other through
        patches = unfold(inputs, layer.kernel_size, layer.dilation, padding, layer.stride)
        inputs = patches.transpose(1, 2)
    rows = inputs.flatten(0, -2)
    found[name] = found.get(name, 0) + rows.T @ rows
