"""Steps that move some entries of a weight and leave the others bit for bit as they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from unlearning.core.weights import trainable

if TYPE_CHECKING:
    from collections.abc import Sequence


def largest(tensors: Sequence[Tensor], share: float) -> list[Tensor]:
    """Mark, over all tensors together, the largest ``share`` of the entries; at least one."""
    flat = torch.cat([tensor.reshape(-1) for tensor in tensors])
    marked = torch.zeros_like(flat, dtype=torch.bool)
    marked[flat.topk(max(1, round(share * flat.numel()))).indices] = True
    pieces = marked.split_with_sizes([tensor.numel() for tensor in tensors])
    return [piece.view_as(tensor) for piece, tensor in zip(pieces, tensors, strict=True)]


def move_only(model: nn.Module, optimizer: torch.optim.Optimizer, masks: Sequence[Tensor]) -> None:
    """Let the optimiser move the marked entries of the trainable parameters and no other.

    A gradient of zero would not do: weight decay and momentum move an entry without one. After
    every step the others are put back, and what the optimiser remembers of them is cleared.
    """
    weights = trainable(model)
    start = [weight.detach().clone() for weight in weights]

    def restore(*_: Any) -> None:  # noqa: ANN401  (the hook is given optimiser and arguments)
        with torch.no_grad():
            for weight, old, mask in zip(weights, start, masks, strict=True):
                weight.copy_(torch.where(mask, weight, old))
                for memory in optimizer.state[weight].values():
                    if isinstance(memory, Tensor) and memory.shape == mask.shape:
                        memory.mul_(mask)

    def mask_gradients(*_: Any) -> None:  # noqa: ANN401  (as above)
        for weight, mask in zip(weights, masks, strict=True):
            if weight.grad is not None:
                weight.grad.mul_(mask)

    optimizer.register_step_pre_hook(mask_gradients)
    optimizer.register_step_post_hook(restore)


def scale_gradients(
    optimizer: torch.optim.Optimizer, factors: Sequence[tuple[nn.Parameter, Tensor]]
) -> None:
    """Multiply these gradients by these factors before every step of the optimiser."""

    def scale(*_: Any) -> None:  # noqa: ANN401  (the hook is given optimiser and arguments)
        for weight, factor in factors:
            if weight.grad is not None:
                weight.grad.mul_(factor)

    optimizer.register_step_pre_hook(scale)
