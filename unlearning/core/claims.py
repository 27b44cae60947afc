"""What a method says about itself, in terms that a planner can weigh without running it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias

Published: TypeAlias = Mapping[str, float | None]


class NotEligible(ValueError):
    """The method is not defined on this model, or would be another method on it."""


class Guarantee(Enum):
    """What a method promises about the unlearned model."""

    EXACT = "same distribution as retraining without the forget set"
    CERTIFIED = "within a stated (epsilon, delta) of retraining"
    APPROXIMATE = "no formal promise; judged by audit"


class Need(Enum):
    """What must have been kept for a method to be possible; the forget set is declared apart."""

    RETAIN = "the retain set"
    RECIPE = "the recipe of the model"
    VALIDATION = "records never trained on, which no audit uses"
    NETWORK = "a second network beside the model"
    CHECKPOINTS = "states saved during training"
    SHARDS = "the plan of a sharded training"
    BATCH_LOG = "which records were in which step"


class Granularity(Enum):
    """What a forget set may be."""

    RECORD = "any records"
    CLASS = "every record of a class"


class Layers(Enum):
    """What the step that sets a method apart edits; a model without it is refused."""

    WHOLE = "the whole model, which is made anew"
    TRAINABLE = "every trainable parameter"
    BLOCKS = "the last blocks and the classifier"
    MATRICES = "convolutions and linear layers"
    PROJECTED = "ungrouped convolutions, and linear layers outside of built-in attention"
    CONVOLUTIONS = "convolutions over overlapping patches"
    SQUARE_CONVOLUTIONS = "convolutions over overlapping square patches"
    HEAD = "the one linear layer there is, with nothing else that is trained"
    STATISTICS = "integer sums that the model is derived from"
    BUDGETED = "a linear head that keeps a removal budget"


@dataclass(frozen=True, kw_only=True)
class Cost:
    """Work to expect: full trainings, and forward-backward passes per epoch of the method.

    Where it grows with the model, the passes are a bound, and the method says for what.
    """

    trainings: float = 0
    retain_passes: float = 0
    forget_passes: float = 0
