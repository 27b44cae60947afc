"""What a method says about itself, in terms that a planner can weigh without running it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Guarantee(Enum):
    """What a method promises about the unlearned model."""

    EXACT = "same distribution as retraining without the forget set"
    CERTIFIED = "within a stated (epsilon, delta) of retraining"
    APPROXIMATE = "no formal promise; judged by audit"


class Need(Enum):
    """What must have been kept for a method to be possible."""

    RETAIN = "the retain set"
    RECIPE = "the recipe of the model"
    CHECKPOINTS = "states saved during training"
    SHARDS = "the plan of a sharded training"
    BATCH_LOG = "which records were in which step"
    CALIBRATION = "records never trained on, which the audit will not use"


class Granularity(Enum):
    """What a forget set may be."""

    RECORD = "any records"
    CLASS = "every record of a class"


@dataclass(frozen=True, kw_only=True)
class Cost:
    """Work to expect: full trainings, and forward-backward passes per epoch of the method."""

    trainings: float = 0
    retain_passes: float = 0
    forget_passes: float = 0
