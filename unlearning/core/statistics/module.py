"""A torch module that keeps its integer statistics beside the weights derived from them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from unlearning.core.statistics.fixed_point import quantised

if TYPE_CHECKING:
    from unlearning.core.statistics.counters import Counters, Integers
    from unlearning.core.statistics.model import Summed

COUNTER, WEIGHT = "counter_", "weight_"


class CountedModel(nn.Module):
    """Scores (n, outputs) in float64 for inputs (n, ...), flattened; all state is in buffers.

    ``counter_*`` are the statistics, as 64-bit integers, and ``weight_*`` what predictions are
    made with. Nothing is a parameter: a gradient step would part the weights from the statistics.
    Whoever holds such a file holds sums over the training records. Where a class has one record
    its sums are that record: keep the file as you keep personal data.
    """

    def __init__(self, model: Summed) -> None:
        """Start without records."""
        super().__init__()
        self.model = model
        for name, array in model.empty().items():
            self.register_buffer(COUNTER + name, torch.from_numpy(array))
        for name, weight in model.weights(model.empty()).items():
            self.register_buffer(WEIGHT + name, torch.from_numpy(weight))

    def forward(self, inputs: Tensor) -> Tensor:
        """Return a score for each output."""
        weights = {
            name.removeprefix(WEIGHT): buffer
            for name, buffer in self.named_buffers()
            if name.startswith(WEIGHT)
        }
        return self.model.scores(weights, inputs.flatten(1).double())

    def counters(self) -> Counters:
        """Return a copy of the statistics."""
        return {
            name.removeprefix(COUNTER): buffer.cpu().numpy().copy()
            for name, buffer in self.named_buffers()
            if name.startswith(COUNTER)
        }

    def learn(self, inputs: Tensor, targets: Tensor) -> None:
        """Add records: inputs (n, ...), flattened, and targets (n,).

        Raises:
            BeyondFixedPoint: a number or a sum does not fit.
        """
        self._keep(self.model.added(self.counters(), *_integers(inputs, targets)))

    def forget(self, inputs: Tensor, targets: Tensor) -> None:
        """Take records out again, and derive the weights anew.

        Raises:
            NeverAdded: the records cannot all have been added; nothing was changed.
        """
        self._keep(self.model.removed(self.counters(), *_integers(inputs, targets)))

    def _keep(self, counters: Counters) -> None:
        for name, array in counters.items():
            self.get_buffer(COUNTER + name).copy_(torch.from_numpy(array))
        for name, weight in self.model.weights(counters).items():
            self.get_buffer(WEIGHT + name).copy_(torch.from_numpy(weight))


def _integers(inputs: Tensor, targets: Tensor) -> tuple[Integers, Integers]:
    rows = quantised(inputs.detach().cpu().flatten(1).double().numpy())
    return rows, targets.detach().cpu().long().numpy()
