"""The empirical Fisher matrix of a sample of records, never written out, and its inverse."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.func import vmap

from unlearning.core.gradients import plain_attention
from unlearning.core.weights import trainable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from unlearning.core.examples import Pair
    from unlearning.core.session import Session
    from unlearning.core.training import Objective


def flat(tensors: Sequence[Tensor]) -> Tensor:
    """Return the entries of all tensors in one vector."""
    return torch.cat([tensor.detach().reshape(-1) for tensor in tensors])


def shaped(vector: Tensor, like: Sequence[Tensor]) -> list[Tensor]:
    """Undo ``flat``: return the vector in the shapes of these tensors."""
    pieces = vector.split_with_sizes([tensor.numel() for tensor in like])
    return [piece.view_as(tensor) for piece, tensor in zip(pieces, like, strict=True)]


@dataclass(frozen=True, kw_only=True)
class Fisher:
    """damping * I + 1/n * sum g g^T, with g the gradient of ``loss`` at each of n records.

    It runs over the trainable parameters of ``model``, which must be in eval mode; ``batches``
    are on its device.
    """

    model: nn.Module
    loss: Objective
    batches: Sequence[Pair]
    damping: float

    def __matmul__(self, vector: Tensor) -> Tensor:
        """Return the product with a flat vector, each gradient unseen but for its share."""
        weights = trainable(self.model)
        pieces = shaped(vector, weights)
        total = torch.zeros_like(vector)
        with plain_attention():
            for inputs, targets in self.batches:
                total += self._part(weights, pieces, self._losses(inputs, targets))
        size = sum(len(targets) for _, targets in self.batches)
        return self.damping * vector + total / size

    def _losses(self, inputs: Tensor, targets: Tensor) -> Tensor:
        """Return the loss of each record."""

        def each(output: Tensor, target: Tensor) -> Tensor:
            return self.loss(output[None], target[None])

        return vmap(each)(self.model(inputs), targets)

    def _part(
        self, weights: list[nn.Parameter], direction: list[Tensor], losses: Tensor
    ) -> Tensor:
        """Return sum g (g . direction) over the records of a batch.

        The weighted sum of gradients is linear in the weights of the records, and its derivative
        by them along the direction is what each g has in common with it.
        """
        shares = torch.zeros_like(losses, requires_grad=True)
        mixture = _pulled(losses, weights, shares, again=True)
        along = torch.autograd.grad(mixture, shares, direction, retain_graph=True)[0]
        return flat(_pulled(losses, weights, along, again=False))


def _pulled(
    losses: Tensor, weights: list[nn.Parameter], shares: Tensor, *, again: bool
) -> tuple[Tensor, ...]:
    return torch.autograd.grad(
        losses, weights, shares, create_graph=again, allow_unused=True, materialize_grads=True
    )


def solve(matrix: Fisher, right: Tensor, iterations: int, session: Session) -> Tensor:
    """Return x with ``matrix @ x = right`` by conjugate gradients, as good as they get.

    They end at a residual of 1e-6 of the first, in float32 hardly ever later.
    """
    found, residual = torch.zeros_like(right), right.clone()
    direction, size = right.clone(), residual.dot(residual)
    first = size
    for step in range(iterations):
        session.step("invert curvature", step, iterations)
        if size <= 1e-12 * first:
            break
        image = matrix @ direction
        length = size / direction.dot(image)
        found += length * direction
        residual -= length * image
        before, size = size, residual.dot(residual)
        direction = residual + size / before * direction
    return found
