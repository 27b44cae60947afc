"""What the recipes share that fit a model in one go and so start from no other model."""

from __future__ import annotations

from abc import ABC
from dataclasses import dataclass
from typing import TYPE_CHECKING

from unlearning.core.recipe import Recipe

if TYPE_CHECKING:
    from torch import nn


class BaseModelUnused(ValueError):
    """The model is fitted at once, and cannot start from another model."""


@dataclass(frozen=True, kw_only=True)
class FittedAtOnce(Recipe, ABC):
    """A recipe whose models have a closed form."""

    def start(self, base: nn.Module | None) -> nn.Module:
        """Return a fresh model.

        Raises:
            BaseModelUnused: a base model was given.
        """
        if base is not None:
            raise BaseModelUnused(f"{self.title} is fitted at once and starts from no base model.")
        return self.build()
