"""Gradients over the trainable parameters at the weights as they are: summed, or per record.

Everything here runs in eval mode, so that no record's gradient depends on another record.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.func import functional_call, grad_and_value, vmap
from torch.nn.attention import SDPBackend, sdpa_kernel

from unlearning.core.examples import count, held, windows
from unlearning.core.modes import evaluating
from unlearning.core.training import check_finite
from unlearning.core.weights import trainable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from unlearning.core.examples import Examples, Pair
    from unlearning.core.session import Session
    from unlearning.core.training import Objective

ROOM = 1 << 26  # single numbers that the gradients of a chunk of records may take


def visits(examples: Examples, session: Session, name: str, at_most: int = 256) -> Iterator[Pair]:
    """Yield a set in its own order, in batches on the device; progress is told as ``name``."""
    steps = windows(count(examples), at_most)
    for step, batch in enumerate(held(examples).batches(steps, session.workers)):
        session.step(name, step, len(steps))
        if batch is not None:
            inputs, targets = batch
            yield inputs.to(session.device), targets.to(session.device)
    session.step(name, len(steps), len(steps))


def summed_gradient(
    model: nn.Module, examples: Examples, loss: Objective, session: Session, name: str
) -> list[Tensor]:
    """Return the sum over records of the gradient of ``loss``, a mean over a batch.

    Raises:
        LossNotFinite: at the first such batch.
    """
    weights = trainable(model)
    total = [torch.zeros_like(weight) for weight in weights]
    with evaluating(model):
        for step, (inputs, targets) in enumerate(visits(examples, session, name)):
            value = loss(model(inputs), targets) * len(targets)
            check_finite(value.item(), name, step, len(windows(count(examples))))
            slopes = torch.autograd.grad(value, weights, allow_unused=True, materialize_grads=True)
            for so_far, slope in zip(total, slopes, strict=True):
                so_far.add_(slope)
    return total


@contextmanager
def plain_attention() -> Iterator[None]:
    """Keep to attention that is written out: fused kernels have no rules for ``torch.func``."""
    fast = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        with sdpa_kernel(SDPBackend.MATH):
            yield
    finally:
        torch.backends.mha.set_fastpath_enabled(fast)


def chunk(model: nn.Module) -> int:
    """Return how many records' gradients are held at once."""
    return max(1, min(64, ROOM // sum(weight.numel() for weight in trainable(model))))


def per_record(
    model: nn.Module, loss: Objective
) -> Callable[[Tensor, Tensor], tuple[list[Tensor], Tensor]]:
    """Return what takes (inputs, targets) of n records to their gradients and their losses.

    The gradients are one tensor (n, *shape) for each trainable parameter. The model must be in
    eval mode, and ``chunk`` says for how many records there is room.
    """
    weights = {name: w.detach() for name, w in model.named_parameters() if w.requires_grad}

    def one(given: dict[str, Tensor], each: Tensor, target: Tensor) -> Tensor:
        return loss(functional_call(model, given, (each[None],)), target[None])

    all_of_them = vmap(grad_and_value(one), in_dims=(None, 0, 0))

    def gradients(inputs: Tensor, targets: Tensor) -> tuple[list[Tensor], Tensor]:
        with plain_attention():
            found, losses = all_of_them(weights, inputs, targets)
        return list(found.values()), losses

    return gradients
