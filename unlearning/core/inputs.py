"""Inputs that a method wants to move by small steps, and so must be continuous numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import nn

from unlearning.core.blocks import weighs
from unlearning.core.claims import NotEligible
from unlearning.core.examples import count, held, windows
from unlearning.core.gradients import visits

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor

    from unlearning.core.examples import Examples, Pair
    from unlearning.core.session import Session


def check_continuous(model: nn.Module, title: str) -> None:
    """Refuse, before a record is read, a model that looks its inputs up instead of weighing them.

    Raises:
        NotEligible: its first layer with a weight is an embedding.
    """
    first = next((layer for layer in model.modules() if weighs(layer)), None)
    if isinstance(first, nn.Embedding | nn.EmbeddingBag):
        raise NotEligible(
            f"{title} moves inputs by small steps, and {type(model).__name__} begins with an "
            f"embedding, whose inputs are whole numbers; choose another method."
        )


def continuous(examples: Examples, title: str) -> Tensor:
    """Return the first input of a set.

    Raises:
        NotEligible: it holds no continuous numbers.
    """
    first = examples[0][0]
    if not first.is_floating_point():
        raise NotEligible(
            f"{title} moves inputs by small steps, and these hold {first.dtype}; choose another "
            f"method."
        )
    return first


def on_device(examples: Examples, session: Session) -> Iterator[Pair]:
    """Yield a set in its own order, in batches on the device; of progress the caller tells."""
    for batch in held(examples).batches(windows(count(examples)), session.workers):
        if batch is not None:
            inputs, targets = batch
            yield inputs.to(session.device), targets.to(session.device)


def limits(examples: Examples, session: Session) -> tuple[float, float]:
    """Return the smallest and the largest number that occurs in the inputs of a set.

    Raises:
        Cancelled: the caller asked to stop.
    """
    seen = visits(examples, session, "range of the inputs")
    found = [(x.min().item(), x.max().item()) for x, _ in seen]
    lows, highs = zip(*found, strict=True)
    return min(lows), max(highs)
