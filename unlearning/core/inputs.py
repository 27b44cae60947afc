"""Inputs that a method wants to move by small steps, and so must be continuous numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from unlearning.core.claims import NotEligible

if TYPE_CHECKING:
    from torch import Tensor

    from unlearning.core.examples import Examples


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
