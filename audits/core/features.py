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

    @classmethod
    def from_margins(cls, margins: Floats) -> Outputs:
        """Return outputs of two classes whose label has these margins, shape [n].

        They are as good as the real ones to whatever reads nothing but the margin.
        """
        logits = np.column_stack([margins, np.zeros(len(margins))])
        return cls(logits=logits, labels=np.zeros(len(margins), np.int64))

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
    def confidence(self) -> Floats:
        """Return the log-odds of the predicted class, shape [n]: ordered where it saturates."""
        return Outputs(logits=self.logits, labels=self.logits.argmax(1)).margin

    @property
    def modified_entropy(self) -> Floats:
        """Return Song and Mittal's entropy, which knows the label, in nats, shape [n].

        -(1 - p_y) log p_y - sum over c != y of p_c log(1 - p_c); 0 where the label is certain and
        large where another class is. (USENIX Security 2021.)
        """
        logs = self.log_probabilities
        rows = np.arange(len(self.labels))
        with np.errstate(divide="ignore"):
            complements = np.log1p(-np.exp(logs))
        # Near certainty 1 - p is lost to rounding; log p minus the log-odds is not.
        predicted = self.logits.argmax(1)
        complements[rows, predicted] = logs[rows, predicted] - self.confidence
        terms = np.exp(logs) * complements
        terms[rows, self.labels] = np.exp(complements[rows, self.labels]) * logs[rows, self.labels]
        return np.asarray(-terms.sum(1), np.float64)

    @property
    def correct(self) -> NDArray[np.bool_]:
        """Return whether the label has the largest logit, shape [n]."""
        return np.asarray(self.logits.argmax(1) == self.labels, np.bool_)

    @cached_property
    def table(self) -> Floats:
        """Return the features of a population attack, shape [n, 6].

        Loss, margin, largest probability, entropy, correctness and modified entropy.
        """
        columns = (
            self.loss,
            self.margin,
            self.largest_probability,
            self.entropy,
            self.correct,
            self.modified_entropy,
        )
        return np.column_stack(columns).astype(np.float64)
