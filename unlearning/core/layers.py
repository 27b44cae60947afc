"""Which layers of a model a method can edit, found by type and never by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import nn

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


KINDS: dict[Layers, Callable[[nn.Module], bool]] = {
    Layers.MATRICES: matrix,
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
        layers = [layer for layer in model.modules() if weighs(layer)]
        return len(layers) == 1 and isinstance(layers[0], nn.Linear)
    return bool(editable(kind, model))
