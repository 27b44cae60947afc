"""A linear head that keeps its noise and its removal budget with its weights."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn

from unlearning.core.certified import logistic
from unlearning.core.certified.budget import Budget
from unlearning.core.private.draws import Draws

if TYPE_CHECKING:
    from unlearning.core.certified.logistic import Floats, Rows

SPENDING = ("epsilon", "delta", "sigma", "spent")
COUNTS = ("removed", "batches")


class CertifiedHead(nn.Module):
    """Scores (n, classes) in float64 for features (n, ...), flattened; all state is in buffers.

    A row is the features and a one, shortened to length 1: in training, in removals and in
    predictions alike. Nothing is a parameter, as a gradient step would void the bound.

    **The buffer ``noise`` is secret.** Who knows it can subtract what hides the removed records;
    so is the seed that it was drawn from. Publish ``weight`` and nothing else of the state. A head
    trained with a secret keeps none of it: removals do not need it.
    """

    weight: Tensor
    noise: Tensor

    def __init__(self, columns: int, classes: int, *, penalty: float, budget: Budget) -> None:
        """Start untrained, with weights and noise of zero."""
        super().__init__()
        for name in ("weight", "noise"):
            self.register_buffer(name, torch.zeros(classes, columns + 1, dtype=torch.float64))
        self.register_buffer("penalty", torch.tensor(penalty, dtype=torch.float64))
        for name in SPENDING:
            self.register_buffer(name, torch.tensor(getattr(budget, name), dtype=torch.float64))
        for name in COUNTS:
            self.register_buffer(name, torch.tensor(getattr(budget, name)))

    def forward(self, features: Tensor) -> Tensor:
        """Return the log-odds of each class against the rest."""
        return _rows(features) @ self.weight.T

    def budget(self) -> Budget:
        """Return what the model has spent, and what it may."""
        spending = {name: float(self.get_buffer(name)) for name in SPENDING}
        counts = {name: int(self.get_buffer(name)) for name in COUNTS}
        return Budget(**spending, **counts)  # type: ignore[arg-type]  # the keys tell them apart

    @property
    def forgotten(self) -> bool:
        """Whether the head was trained with a noise that it does not hold."""
        return bool(self.weight.any()) and not bool(self.noise.any())

    def fit(self, features: Tensor, targets: Tensor, secret: bytes | None = None) -> None:
        """Draw fresh noise, train, and begin a new budget.

        The noise follows from ``secret`` and is then forgotten; without one it is drawn from
        torch's global random state and kept.

        Raises:
            BudgetSpent: the optimum was missed by more than the noise covers.
            PrivacyRefused: the secret is short.
        """
        rows = self._seen(features, targets)
        penalty = float(self.get_buffer("penalty"))
        fresh = replace(self.budget(), spent=0.0, removed=0, batches=0)
        if secret is None:
            drawn = torch.randn(self.noise.shape, dtype=torch.float64)
        else:
            drawn = Draws(secret).noise(self.noise, 1.0)
        noise = fresh.sigma * drawn.cpu().numpy()
        weights = logistic.fit(rows, penalty, noise)
        missed = fresh.after(logistic.residual(weights, rows, penalty, noise), 0)
        self.noise.copy_(torch.from_numpy(noise if secret is None else np.zeros_like(noise)))
        self._keep(weights, replace(missed, batches=0))

    def remove(self, kept: tuple[Tensor, Tensor], gone: tuple[Tensor, Tensor]) -> float:
        """Take a batch of records out by one Newton step; return what that spends.

        Args:
            kept: features and targets of every record that stays.
            gone: those of the records that go; all of them must have been trained on.

        Raises:
            BudgetSpent: retrain; nothing was changed.
        """
        removal = logistic.remove(
            self.weight.cpu().numpy(),
            self._seen(*kept),
            self._seen(*gone),
            float(self.get_buffer("penalty")),
        )
        self._keep(removal.weights, self.budget().after(removal.bound, len(gone[1])))
        return removal.bound

    def _seen(self, features: Tensor, targets: Tensor) -> Rows:
        values = _rows(features.detach().cpu()).numpy()
        return logistic.rows_of(values, targets.detach().cpu().numpy(), len(self.weight))

    def _keep(self, weights: Floats, budget: Budget) -> None:
        self.weight.copy_(torch.from_numpy(np.ascontiguousarray(weights)))
        for name in ("spent", *COUNTS):
            self.get_buffer(name).fill_(getattr(budget, name))


def _rows(features: Tensor) -> Tensor:
    """Return features (n, ...) as rows of length at most 1, with a one for the intercept."""
    flat = features.flatten(1).double()
    whole = torch.cat([flat, torch.ones_like(flat[:, :1])], dim=1)
    rows: Tensor = whole / torch.linalg.vector_norm(whole, dim=1, keepdim=True).clamp_min(1.0)
    return rows
