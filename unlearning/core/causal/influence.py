"""How far each training record supports what the seed records teach, by influence functions.

On the frozen features x of a record (with a 1 for the bias) and its label y, a head W is fitted
anew as a softmax regression,

    L(W) = 1/n * sum CE(W x_i, y_i) + l2 / 2 * ||W||^2,

so that it stands at an optimum, as influence functions ask and a head trained with early stopping
or to saturation does not. With g_i = (softmax(W x_i) - onehot(y_i)) x_i and H the Hessian of L at
its minimum, a record's support of a seed s is

    support(i, s) = g_s^T H^-1 g_i .

Divided by n it is, to first order, by how much the loss of s rises when i is left out. The score
of a record is the mean over the seeds.

Reference: Koh and Liang, "Understanding black-box predictions via influence functions", ICML 2017,
equation 2, on the features of a network as in their section 5.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import minimize

if TYPE_CHECKING:
    from numpy.typing import NDArray

L2 = 1e-2  # keeps the head from saturating, where every gradient would vanish
PORTION = 4096  # records whose products are held at once


@dataclass(frozen=True, kw_only=True)
class Head:
    """A softmax regression at its optimum, and the gradients of the records it was fitted on.

    ``weights`` is (d + 1, classes); ``whitened`` is (n, (d + 1) * classes), the gradients in
    coordinates in which H is the identity: their scalar products are supports.
    """

    weights: NDArray[np.float64]
    whitened: NDArray[np.float64]


def fitted(features: NDArray[np.float64], labels: NDArray[np.int64], classes: int) -> Head:
    """Fit a head on (n, d) features and (n,) labels below ``classes``."""
    inputs = with_bias(features)
    known = np.eye(classes)[labels]
    weights = _optimum(inputs, known)
    given = probabilities(inputs, weights)
    values, vectors = np.linalg.eigh(_hessian(inputs, given))
    return Head(weights=weights, whitened=_times(inputs, given - known, vectors / np.sqrt(values)))


def _times(
    inputs: NDArray[np.float64], missed: NDArray[np.float64], matrix: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return (n, width of ``matrix``) the gradients times a matrix, never all of them at once."""
    found = np.empty((len(inputs), matrix.shape[1]))
    for start in range(0, len(inputs), PORTION):
        rows, part = inputs[start : start + PORTION], missed[start : start + PORTION]
        gradients = (rows[:, :, None] * part[:, None, :]).reshape(len(rows), -1)
        found[start : start + PORTION] = gradients @ matrix
    return found


def with_bias(features: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the features with a column of ones."""
    return np.hstack([features, np.ones((len(features), 1))])


def probabilities(
    inputs: NDArray[np.float64], weights: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return (n, classes) probabilities of a softmax regression."""
    outputs = inputs @ weights
    exponents = np.exp(outputs - outputs.max(axis=1, keepdims=True))
    return np.asarray(exponents / exponents.sum(axis=1, keepdims=True))


def support(head: Head, seeds: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return (n,) mean supports of the seeds, given by their places."""
    return np.asarray(head.whitened @ head.whitened[seeds].mean(axis=0))


def _optimum(inputs: NDArray[np.float64], known: NDArray[np.float64]) -> NDArray[np.float64]:
    shape = inputs.shape[1], known.shape[1]

    def loss(flat: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        weights = flat.reshape(shape)
        given = probabilities(inputs, weights)
        missed = -np.log(np.maximum((given * known).sum(axis=1), 1e-300)).mean()
        slope = inputs.T @ (given - known) / len(inputs) + L2 * weights
        return missed + L2 / 2 * (flat @ flat), slope.ravel()

    options = {"maxiter": 2000, "ftol": 1e-13, "gtol": 1e-8}
    found = minimize(loss, np.zeros(shape).ravel(), jac=True, method="L-BFGS-B", options=options)
    return np.asarray(found.x.reshape(shape))


def _hessian(inputs: NDArray[np.float64], given: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the Hessian, its weights in the order of the gradients: feature, then class."""
    width, classes = inputs.shape[1], given.shape[1]
    blocks = np.zeros((width, classes, width, classes))
    for start in range(0, len(inputs), PORTION):
        rows, part = inputs[start : start + PORTION], given[start : start + PORTION]
        for one in range(classes):
            for other in range(one, classes):
                shared = part[:, one] * ((one == other) - part[:, other])
                block = rows.T @ (rows * shared[:, None])
                blocks[:, one, :, other] += block
                if other != one:
                    blocks[:, other, :, one] += block
    size = width * classes
    return np.asarray(blocks.reshape(size, size) / len(inputs) + L2 * np.eye(size))
