"""How much residual a certified model may still take on before it must be trained again."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace


class BudgetSpent(RuntimeError):
    """A removal would leave more behind than the noise covers; the model must be retrained."""


@dataclass(frozen=True, kw_only=True)
class Budget:
    """The bound on the gradient left behind, summed over every removal since the training.

    With noise of deviation ``sigma`` in the objective, a gradient of norm at most ``limit`` is
    covered to (``epsilon``, ``delta``): Guo et al., ICML 2020, theorem 3. Keep epsilon to 1, as
    far as the Gaussian mechanism is proved that it rests on. ``spent`` never falls; only a
    training with fresh noise begins a new budget. ``removed`` and ``batches`` count the records
    and the removals.
    """

    epsilon: float
    delta: float
    sigma: float
    spent: float = 0.0
    removed: int = 0
    batches: int = 0

    @property
    def limit(self) -> float:
        """Norm of the gradient that the noise covers."""
        return self.sigma * self.epsilon / math.sqrt(2 * math.log(1.5 / self.delta))

    def after(self, bound: float, records: int) -> Budget:
        """Return the budget after a removal of so many records that leaves at most ``bound``.

        Raises:
            BudgetSpent: that is more than is left, or not a number.
        """
        spent = self.spent + max(bound, 0.0)
        if not spent <= self.limit:
            raise BudgetSpent(
                f"Removing {records} records would bring the residual bound to {spent:.3g}, and "
                f"the noise covers {self.limit:.3g} at epsilon {self.epsilon:g} and delta "
                f"{self.delta:g}, after {self.removed} records in {self.batches} removals; "
                f"retrain the model without the records, with fresh noise."
            )
        return replace(self, spent=spent, removed=self.removed + records, batches=self.batches + 1)
