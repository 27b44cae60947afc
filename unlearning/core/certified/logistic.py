"""Logistic regression with a linear random term, and the Newton step that removes records.

There is one regression, of its class against the rest, for each row of the weights W (classes,
columns). With signs y in {-1, +1}, the objective is the sum over classes k of

    sum over records of [log(1 + exp(-y_k W_k.x)) + penalty / 2 |W_k|^2] + b_k.W_k.

Source: Guo, Goldstein, Hannun and van der Maaten, "Certified data removal from machine learning
models", ICML 2020. Their bound is sharpened, see ``remainder``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import scipy.linalg
from scipy.special import expit

if TYPE_CHECKING:
    from typing import TypeAlias

    from numpy.typing import NDArray

    Floats: TypeAlias = NDArray[np.float64]

# The steepest slope of the second derivative of log(1 + exp(-z)), at z = log(2 + sqrt 3).
LIPSCHITZ = 1 / (6 * math.sqrt(3))
ROUNDING = 1 + 1e-9
STEPS = 100


@dataclass(frozen=True, kw_only=True)
class Rows:
    """Records as the regressions see them: x, (n, columns), and the signs y, (n, classes)."""

    values: Floats
    signs: Floats

    def __len__(self) -> int:
        return len(self.values)


@dataclass(frozen=True, kw_only=True)
class Removal:
    """The weights after a removal, and a bound on the norm of the gradient that it adds."""

    weights: Floats
    bound: float


def rows_of(values: Floats, labels: NDArray[np.int64], classes: int) -> Rows:
    """Return records with the classes 0 .. classes - 1 as signs."""
    return Rows(values=values, signs=2.0 * np.eye(classes)[labels] - 1.0)


def clipped(values: Floats, radius: float = 1.0) -> Floats:
    """Return rows (n, columns), those longer than ``radius`` shortened to it.

    Without it one long row can use up the whole budget.
    """
    lengths = np.linalg.norm(values, axis=1, keepdims=True)
    return np.asarray(values / np.maximum(1.0, lengths / radius))


def gradient(weights: Floats, rows: Rows, penalty: float) -> Floats:
    """Return the gradient of the objective without its random term, (classes, columns)."""
    pull = -rows.signs * expit(-rows.signs * (rows.values @ weights.T))
    return np.asarray(pull.T @ rows.values + penalty * len(rows) * weights)


def hessian(weights: Floats, rows: Rows, penalty: float) -> Floats:
    """Return the second derivative for the weights (columns,) of one class."""
    shares = expit(rows.values @ weights)
    curved = rows.values * (shares * (1 - shares))[:, None]
    return np.asarray(curved.T @ rows.values + penalty * len(rows) * np.eye(len(weights)))


def fit(rows: Rows, penalty: float, noise: Floats) -> Floats:
    """Return the weights that minimise the objective, as near as floats come, from zero.

    Newton's method, each step halved until the gradient shrinks; what is left of the gradient
    belongs to the budget of the model.
    """
    weights = np.zeros_like(noise)
    slope = gradient(weights, rows, penalty) + noise
    for _ in range(STEPS):
        step = _solved(weights, rows, penalty, slope)
        tried, left = _shrunk(weights, step, rows, penalty, noise)
        if np.linalg.norm(left) >= np.linalg.norm(slope):
            break
        weights, slope = tried, left
    return weights


def residual(weights: Floats, rows: Rows, penalty: float, noise: Floats) -> float:
    """Return the norm of the gradient of the whole objective: zero at its optimum."""
    return float(np.linalg.norm(gradient(weights, rows, penalty) + noise))


def remove(weights: Floats, kept: Rows, gone: Rows, penalty: float) -> Removal:
    """Return the weights after the Newton step W + H^-1 (gradient of the gone records).

    H is taken on the kept records alone. The bound holds for what this removal adds to the
    gradient on them; what was there before stays, so the bounds of removals add up.
    """
    pull = gradient(weights, gone, penalty)
    step = _solved(weights, kept, penalty, pull)
    # The largest eigenvalue is computed whole: power iterations approach it from below.
    largest = math.sqrt(max(0.0, float(np.linalg.eigvalsh(kept.values.T @ kept.values)[-1])))
    parts = [
        remainder(kept, one, largest) + _missed(mine, kept, penalty, one, wanted)
        for mine, one, wanted in zip(weights, step, pull, strict=True)
    ]
    return Removal(weights=weights + step, bound=ROUNDING * math.hypot(*parts))


def remainder(kept: Rows, step: Floats, largest: float) -> float:
    r"""Return a bound on what a Newton step (columns,) of one class leaves of the gradient.

    It is X^T r with r_i the error of a first-order expansion of the slope at record i, so at most
    LIPSCHITZ / 2 (x_i.step)^2. Hence |X^T r| <= ``largest`` LIPSCHITZ / 2 \|(X step)^2\|, with
    ``largest`` the spectral norm of X, (n, columns). Guo et al. have 1/4 |X| |step| |X step|,
    which is never less while no row is longer than 1.
    """
    moved = kept.values @ step
    return float(LIPSCHITZ / 2 * largest * np.linalg.norm(moved * moved))


def _missed(weights: Floats, kept: Rows, penalty: float, step: Floats, wanted: Floats) -> float:
    """Return how far the step computed for one class is from solving its equations."""
    return float(np.linalg.norm(hessian(weights, kept, penalty) @ step - wanted))


def _solved(weights: Floats, rows: Rows, penalty: float, right: Floats) -> Floats:
    solved = [
        scipy.linalg.solve(hessian(mine, rows, penalty), one, assume_a="pos")
        for mine, one in zip(weights, right, strict=True)
    ]
    return np.stack(solved)


def _shrunk(
    weights: Floats, step: Floats, rows: Rows, penalty: float, noise: Floats
) -> tuple[Floats, Floats]:
    """Halve a step back until the gradient is smaller than before; return weights, gradient."""
    before = residual(weights, rows, penalty, noise)
    for halvings in range(30):
        tried = weights - step / 2**halvings
        left = gradient(tried, rows, penalty) + noise
        if np.linalg.norm(left) < before:
            return tried, left
    return weights, gradient(weights, rows, penalty) + noise
