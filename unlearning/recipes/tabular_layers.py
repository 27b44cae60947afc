"""Layers whose state is computed from the data in one go, and kept in buffers."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn


class Standardise(nn.Module):
    """(x - mean) / deviation per column, over (n, columns); a constant column becomes zero."""

    mean: Tensor
    deviation: Tensor

    def __init__(self, columns: int) -> None:
        """Start as the identity."""
        super().__init__()
        self.register_buffer("mean", torch.zeros(columns))
        self.register_buffer("deviation", torch.ones(columns))

    def fit(self, inputs: Tensor) -> None:
        """Take mean and population deviation of the columns of ``inputs``, in float64."""
        deviation, mean = torch.std_mean(inputs.double(), dim=0, correction=0)
        self.mean.copy_(mean)
        self.deviation.copy_(torch.where(deviation > 0, deviation, 1.0))

    def forward(self, inputs: Tensor) -> Tensor:
        """Return the standardised rows."""
        return (inputs - self.mean) / self.deviation


class GaussianBayes(nn.Module):
    """Naive Bayes with one normal density per class and column; logits are joint log-densities."""

    mean: Tensor
    variance: Tensor
    log_prior: Tensor

    def __init__(self, classes: int, columns: int) -> None:
        """Start with standard normal densities and equal priors."""
        super().__init__()
        self.register_buffer("mean", torch.zeros(classes, columns))
        self.register_buffer("variance", torch.ones(classes, columns))
        self.register_buffer("log_prior", torch.full((classes,), -math.log(classes)))

    def forward(self, inputs: Tensor) -> Tensor:
        """Return log p(class) + log p(row | class) for rows (n, columns)."""
        squares = (inputs[:, None] - self.mean).square() / self.variance
        density = -0.5 * (squares + (2 * math.pi * self.variance).log()).sum(-1)
        return density + self.log_prior
