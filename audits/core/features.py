"""What a membership attack reads from a classifier's outputs: in float64, never saturated."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from scipy.special import logsumexp

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats: TypeAlias = NDArray[np.float64]
    Integers: TypeAlias = NDArray[np.int64]

MATRIX = 2
SMALLEST_CLASSES = 2


class OutputsRefused(ValueError):
    """Logits and labels do not belong together."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Outputs:
    """Logits of n examples, shape [n, classes], and their labels, shape [n]."""

    logits: Floats
    labels: Integers

    def __post_init__(self) -> None:
        """Check the shapes.

        Raises:
            OutputsRefused: the sentence names the shapes, or the label out of range.
        """
        logits, labels = self.logits, self.labels
        classes = logits.shape[-1] if logits.ndim == MATRIX else 0
        if classes < SMALLEST_CLASSES or labels.shape != logits.shape[:1]:
            raise OutputsRefused(
                f"Logits have shape {logits.shape} and labels {labels.shape}; they must be "
                f"[n, classes] with at least two classes, and [n]."
            )
        if len(labels) and not 0 <= int(labels.min()) <= int(labels.max()) < classes:
            raise OutputsRefused(f"A label lies outside 0 to {classes - 1}.")

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, chosen: Integers) -> Outputs:
        """Return the chosen examples, in that order."""
        return Outputs(logits=self.logits[chosen], labels=self.labels[chosen])

    @cached_property
    def log_probabilities(self) -> Floats:
        """Return log softmax, shape [n, classes]."""
        logits = self.logits.astype(np.float64)
        return np.asarray(logits - logsumexp(logits, axis=1, keepdims=True), np.float64)

    @cached_property
    def margin(self) -> Floats:
        """Return the label's logit minus logsumexp of the others, shape [n]; higher = member.

        It equals log p - log(1 - p) of the label's probability, computed from the logits, so it
        stays finite and ordered where a softmax is 0 or 1 (Carlini et al. 2022).
        """
        logits = self.logits.astype(np.float64)
        rows = np.arange(len(self.labels))
        own = logits[rows, self.labels]
        logits[rows, self.labels] = -np.inf
        return np.asarray(own - logsumexp(logits, axis=1), np.float64)

    @property
    def loss(self) -> Floats:
        """Return the cross-entropy, shape [n]."""
        return -self.log_probabilities[np.arange(len(self.labels)), self.labels]

    @property
    def largest_probability(self) -> Floats:
        """Return the confidence in the predicted class, shape [n]."""
        return np.asarray(np.exp(self.log_probabilities.max(1)), np.float64)

    @property
    def entropy(self) -> Floats:
        """Return the entropy of the prediction in nats, shape [n]."""
        logs = self.log_probabilities
        return np.asarray(-(np.exp(logs) * logs).sum(1), np.float64)

    @property
    def correct(self) -> NDArray[np.bool_]:
        """Return whether the label has the largest logit, shape [n]."""
        return np.asarray(self.logits.argmax(1) == self.labels, np.bool_)

    @cached_property
    def table(self) -> Floats:
        """Return loss, margin, largest probability, entropy and correctness, shape [n, 5]."""
        columns = (self.loss, self.margin, self.largest_probability, self.entropy, self.correct)
        return np.column_stack(columns).astype(np.float64)
