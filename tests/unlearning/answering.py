"""Models that answer: their losses, and what they are told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch.nn.functional import cross_entropy

from tests.unlearning.toys import HELD_OUT, Plain, original
from unlearning.core.context import Context

if TYPE_CHECKING:
    from torch import nn
    from torch.utils.data import TensorDataset

SEED = 5
CONTEXT = Context(recipe=Plain(), seed=SEED, validation=HELD_OUT, classes=("c",))
MODEL = original(Plain())


def loss_of(model: nn.Module, data: TensorDataset) -> float:
    return cross_entropy(model(data.tensors[0]), data.tensors[1]).item()
