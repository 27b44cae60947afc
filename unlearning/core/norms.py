"""Batch normalisation remembers the data that passed through it; here it is made to forget."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from unlearning.core.examples import count, held, windows
from unlearning.core.seeding import derive, reseed

if TYPE_CHECKING:
    from collections.abc import Callable

    from unlearning.core.examples import Examples
    from unlearning.core.session import Session

BATCH_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d, nn.SyncBatchNorm)


class TooFewForNorms(ValueError):
    """The statistics of batch normalisation need two examples."""


def batch_norms(model: nn.Module) -> list[nn.Module]:
    """Return the batch normalisation layers, found by type and never by name."""
    return [module for module in model.modules() if isinstance(module, BATCH_NORMS)]


def recompute(
    model: nn.Module,
    retain: Examples,
    session: Session,
    augment: Callable[[Tensor], Tensor],
) -> None:
    """Reset every running statistic and take it anew, from the retain set alone.

    The statistics become the plain mean over batches of nearly equal size, of inputs augmented
    as in training. All other layers stay in eval mode and no weight moves.

    Raises:
        TooFewForNorms: there are such layers and fewer than two examples.
    """
    layers = [layer for layer in batch_norms(model) if layer.track_running_stats]
    if not layers:
        return
    if count(retain) < 2:  # noqa: PLR2004  (a variance needs two)
        raise TooFewForNorms(
            f"The model has {len(layers)} batch normalisation layers, whose statistics need at "
            f"least 2 retained examples, and there are {count(retain)}."
        )
    momenta = [layer.momentum for layer in layers]
    model.eval()
    for layer in layers:
        _forget(layer)
    _observe(model, retain, session, augment)
    for layer, momentum in zip(layers, momenta, strict=True):
        layer.momentum = momentum
    model.eval()


def _forget(layer: nn.Module) -> None:
    """Clear a layer's statistics and have it average all batches alike from now on."""
    for name, start in (("running_mean", 0), ("running_var", 1), ("num_batches_tracked", 0)):
        layer.get_buffer(name).fill_(start)
    layer.momentum = None  # type: ignore[assignment]  # None means the cumulative average
    layer.train()


@torch.no_grad()
def _observe(
    model: nn.Module,
    retain: Examples,
    session: Session,
    augment: Callable[[Tensor], Tensor],
) -> None:
    steps = windows(count(retain))
    for step, batch in enumerate(held(retain).batches(steps, session.workers)):
        session.step("recompute norms", step, len(steps))
        reseed(derive(session.seed, "norms", step), session.device)
        if batch is not None:
            model(augment(batch[0].to(session.device)))
