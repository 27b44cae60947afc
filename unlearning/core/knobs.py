"""The hyperparameters that many methods share, each with the range it is searched in."""

from __future__ import annotations

from typing import Annotated, TypeAlias

from unlearning.core.ranges import Range

LearningRate: TypeAlias = Annotated[float, Range(1e-5, 1e-1, log=True, help="size of a step")]
Momentum: TypeAlias = Annotated[float, Range(0, 0.99, help="share of the last step kept")]
WeightDecay: TypeAlias = Annotated[
    float,
    Range(0, 0.1, log=True, searched_from=1e-5, help="pull of the weights to zero"),
]
BatchSize: TypeAlias = Annotated[int, Range(1, 4096, help="records in a step")]
Epochs: TypeAlias = Annotated[int, Range(1, 100, help="passes over the data")]
Pull: TypeAlias = Annotated[float, Range(0, 1, help="pull back to the original weights")]
StopLoss: TypeAlias = Annotated[
    float | None, Range(1e-6, 100, help="mean loss on the forget set that ends the run")
]
Temperature: TypeAlias = Annotated[float, Range(0.1, 5, help="softness of the answers compared")]
Smoothing: TypeAlias = Annotated[
    float, Range(1e-12, 1.0, log=True, help="share of the largest variance added to each")
]
