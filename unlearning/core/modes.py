"""Train and eval mode, changed for a while and then put back as it was."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import nn


@contextmanager
def evaluating(model: nn.Module) -> Iterator[nn.Module]:
    """Put every layer in eval mode for the body; layers may have been in different modes."""
    modes = [(layer, layer.training) for layer in model.modules()]
    try:
        yield model.eval()
    finally:
        for layer, training in modes:
            layer.training = training
