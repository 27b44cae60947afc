"""Which layers of a model a method can edit, found by type and never by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import nn
from torch.nn.modules.linear import NonDynamicallyQuantizableLinear

from unlearning.core.blocks import blocks, weighs
from unlearning.core.claims import Layers, NotEligible
from unlearning.core.weights import trainable

if TYPE_CHECKING:
    from collections.abc import Callable


def over_space(layer: nn.Module) -> bool:
    """Say whether a layer is a convolution whose patches overlap.

    That of a transformer's patches is none: it maps each on its own, as a linear layer would.
    """
    if not isinstance(layer, nn.Conv2d):
        return False
    return any(side > step for side, step in zip(layer.kernel_size, layer.stride, strict=True))


def over_squares(layer: nn.Module) -> bool:
    """Say whether a layer is such a convolution with a square kernel."""
    return over_space(layer) and len({*layer.get_parameter("weight").shape[2:]}) == 1


def matrix(layer: nn.Module) -> bool:
    """Say whether a layer is a convolution or a linear layer."""
    return isinstance(layer, nn.Conv2d | nn.Linear)


def projected(layer: nn.Module) -> bool:
    """Say whether a layer multiplies its flattened inputs by its weight, and is called to do so.

    Groups of channels do not meet in one product. ``nn.MultiheadAttention`` uses the weight of
    its output layer without calling that, and holds its other projections in no layer at all.
    """
    if isinstance(layer, NonDynamicallyQuantizableLinear):
        return False
    return matrix(layer) and getattr(layer, "groups", 1) == 1


KINDS: dict[Layers, Callable[[nn.Module], bool]] = {
    Layers.MATRICES: matrix,
    Layers.PROJECTED: projected,
    Layers.CONVOLUTIONS: over_space,
    Layers.SQUARE_CONVOLUTIONS: over_squares,
}


def editable(kind: Layers, model: nn.Module) -> dict[str, nn.Module]:
    """Return the layers of a kind whose weight is trainable, by name; maybe none."""
    return {
        name: layer
        for name, layer in model.named_modules()
        if KINDS[kind](layer) and layer.get_parameter("weight").requires_grad
    }


def check_eligible(kind: Layers, model: nn.Module, title: str) -> None:
    """Hold a model to what the method called ``title`` edits.

    Raises:
        NotEligible: it has nothing of the kind.
    """
    if kind is Layers.WHOLE:
        return
    trainable(model)
    if not _has(kind, model):
        raise NotEligible(
            f"{title} edits {kind.value}, and {type(model).__name__} has none that is trainable; "
            f"choose another method."
        )


def _has(kind: Layers, model: nn.Module) -> bool:
    if kind is Layers.TRAINABLE:
        return True
    if kind is Layers.BLOCKS:
        return bool(blocks(model))
    if kind is Layers.HEAD:
        return _only_a_head(model)
    return bool(editable(kind, model))


def _only_a_head(model: nn.Module) -> bool:
    """Say whether a linear layer is all there is to train; a norm before it would move, too."""
    layers = [layer for layer in model.modules() if weighs(layer)]
    if len(layers) != 1 or not isinstance(layers[0], nn.Linear):
        return False
    own = {id(weight) for weight in layers[0].parameters()}
    return all(id(weight) in own for weight in trainable(model))
