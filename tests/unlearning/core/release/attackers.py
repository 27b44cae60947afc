"""What somebody can do who holds models before and after an erasure: softmax regression on digits.

The attacker never sees the training set as such: a disjoint public sample stands in for it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import minimize
from sklearn.datasets import load_digits

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from unlearning.core.private.terms import Privacy

    Floats = NDArray[np.float64]
    Labels = NDArray[np.int64]

CLASSES, PIXELS, TRAINED = 10, 64, 300
PENALTY = 1e-3
MOMENTUM = 0.9


def softmax(logits: Floats) -> Floats:
    raised = np.exp(logits - logits.max(1, keepdims=True))
    shares: Floats = raised / raised.sum(1, keepdims=True)
    return shares


def fitted(inputs: Floats, labels: Labels, start: Floats | None = None) -> Floats:
    """Weights (pixels, classes) of the penalised optimum: exact unlearning is to fit again."""
    rows, told = len(labels), np.eye(CLASSES)[labels]

    def loss(flat: Floats) -> tuple[float, Floats]:
        weights = flat.reshape(PIXELS, CLASSES)
        answers = softmax(inputs @ weights)
        value = -np.log(answers[np.arange(rows), labels] + 1e-300).sum()
        value += PENALTY * rows / 2 * flat @ flat
        slope = inputs.T @ (answers - told) + PENALTY * rows * weights
        return float(value), slope.ravel()

    begin = np.zeros(PIXELS * CLASSES) if start is None else start.ravel()
    options = {"maxiter": 600, "gtol": 1e-7, "ftol": 1e-14}
    found = minimize(loss, begin, jac=True, method="L-BFGS-B", options=options)
    return np.asarray(found.x).reshape(PIXELS, CLASSES)


def descended(
    inputs: Floats,
    labels: Labels,
    privacy: Privacy | None,
    noise: np.random.Generator,
    steps: int = 40,
) -> Floats:
    """Weights (pixels, classes) after steps on everybody, with or without ``unlearning``'s DP-SGD.

    It is softmax regression by hand, as the models here are so many.
    """
    told, length = np.eye(CLASSES)[labels], np.linalg.norm(inputs, axis=1)
    weights, moving = np.zeros((PIXELS, CLASSES)), np.zeros((PIXELS, CLASSES))
    for _ in range(steps):
        error = softmax(inputs @ weights) - told
        share, added = np.ones(len(inputs)), np.zeros(weights.shape)
        if privacy is not None:
            norms = length * np.linalg.norm(error, axis=1)
            share = np.minimum(1, privacy.clip / (norms + 1e-6))
            added = noise.normal(0, (privacy.noise or 0) * privacy.clip, weights.shape)
        slope = ((inputs * share[:, None]).T @ error + added) / len(inputs)
        moving = MOMENTUM * moving + slope
        weights -= moving
    return weights


@dataclass(frozen=True, kw_only=True)
class Deployed:
    """A published model, what it was trained on, and what is public."""

    inputs: Floats
    labels: Labels
    public: Floats
    public_labels: Labels
    weights: Floats
    curvature: Floats = field(repr=False)

    def without(self, gone: Iterable[int]) -> Floats:
        kept = np.setdiff1d(np.arange(TRAINED), list(gone))
        return fitted(self.inputs[kept], self.labels[kept], self.weights)

    def accuracy(self, weights: Floats) -> float:
        return float(((self.public @ weights).argmax(1) == self.public_labels).mean())

    def suspects(self, change: Floats) -> Labels:
        """Training records, the likeliest to have been erased first.

        The change of the weights times the curvature is the sum of the erased records' gradients,
        and that of one record is its pixels times a row: of rank one.
        """
        slope = (self.curvature @ change.ravel()).reshape(PIXELS, CLASSES)
        direction = self._centred(np.linalg.svd(slope, full_matrices=False)[0][:, :1].T)
        seen = self._centred(self.inputs)
        alike = np.abs(seen @ direction.ravel()) / np.linalg.norm(seen, axis=1)
        return np.argsort(-alike)

    def change_seen_through(self, before: Floats, after: Floats) -> Floats:
        """The change of the weights, from probabilities on the public sample alone."""
        told = [np.log(np.maximum(one, 1e-9)) for one in (before, after)]
        moved = [one - one.mean(1, keepdims=True) for one in told]
        gram = self.public.T @ self.public + 1e-6 * np.eye(PIXELS)
        return np.linalg.solve(gram, self.public.T @ (moved[1] - moved[0]))

    def _centred(self, rows: Floats) -> Floats:
        mean = self.public.mean(0)
        mean /= np.linalg.norm(mean)
        return rows - np.outer(rows @ mean, mean)


@cache
def deployed() -> Deployed:
    inputs, labels = load_digits(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(labels))
    inputs, labels = inputs[order] / 16.0, labels[order].astype(np.int64)
    seen, public = slice(0, TRAINED), slice(TRAINED, None)
    weights = fitted(inputs[seen], labels[seen])
    return Deployed(
        inputs=inputs[seen],
        labels=labels[seen],
        public=inputs[public],
        public_labels=labels[public],
        weights=weights,
        curvature=_curvature(inputs[public], weights),
    )


def _curvature(sample: Floats, weights: Floats) -> Floats:
    """The Hessian at the published weights, on the public sample scaled to the training set."""
    answers = softmax(sample @ weights)
    size = PIXELS * CLASSES
    whole = np.zeros((size, size))
    for one in range(CLASSES):
        for other in range(CLASSES):
            moved = answers[:, one] * ((one == other) - answers[:, other])
            whole[one::CLASSES, other::CLASSES] = (sample * moved[:, None]).T @ sample
    whole *= TRAINED / len(sample)
    whole[np.diag_indices(size)] += PENALTY * TRAINED
    return whole
