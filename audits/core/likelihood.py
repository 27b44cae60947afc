"""Likelihood ratios from shadow models: Student-t predictive densities with shrunken variances.

With few models a record's own variance is unreliable, so it is drawn towards the variance of all
records (a normal-inverse-gamma prior; a Student-t predictive). The models that fit a density are
never the models it judges: judging them in-sample finds leaks where there are none.

``forward`` decides: each model is judged by the models before it. ``cross_fit`` judges every model
and is for pictures: two models that judge each other count one coincidence twice, so that its
averages vary about 1 + 2/pi times as much as independent guesses where there is nothing to see.
Sources: Carlini et al. 2022 (LiRA), Hayes et al. 2024 (U-LiRA), BaVarIA 2026 (shrinkage).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from scipy.special import gammaln

from audits.core.estimates import InstanceTest

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats: TypeAlias = NDArray[np.float64]
    Flags: TypeAlias = NDArray[np.bool_]

PRIOR = 8.0
FOLDS = 5
BURN_IN = 3
TINY = 1e-18


class TooFewModels(ValueError):
    """A density cannot be fitted from so few models."""


@dataclass(frozen=True, kw_only=True)
class Predictive:
    """A Student-t density per record; shapes [k], or [n, k] for one density per model."""

    mean: Floats
    squared_scale: Floats
    freedom: Floats

    def log_density(self, scores: Floats) -> Floats:
        """Return the natural logarithm of the density at scores of shape [n, k]."""
        half = (self.freedom + 1) / 2
        squared = (scores - self.mean) ** 2 / (self.squared_scale * self.freedom)
        constant = gammaln(half) - gammaln(half - 0.5) - 0.5 * np.log(self.freedom * np.pi)
        density = constant - 0.5 * np.log(self.squared_scale) - half * np.log1p(squared)
        return np.asarray(density, np.float64)


def predictive(mean: Floats, squares: Floats, count: Floats, prior: float = PRIOR) -> Predictive:
    """Return the predictive density after ``count`` scores with squared deviations ``squares``.

    The variance is (prior * pooled + squares) / (prior + count - 1), records in the last axis
    are pooled.
    """
    spare = count - 1
    pooled = squares.sum(-1, keepdims=True) / np.broadcast_to(spare, squares.shape).sum(
        -1, keepdims=True
    )
    variance = (prior * pooled + squares) / (prior + spare)
    # Scores that do not vary at all keep a density that a computer can divide by.
    variance = np.maximum(variance, TINY * (1 + mean**2))
    return Predictive(
        mean=mean, squared_scale=variance * (1 + 1 / count), freedom=prior + spare + 0 * mean
    )


def fit(scores: Floats, chosen: Flags, prior: float = PRIOR) -> Predictive:
    """Fit one density per record to the chosen scores; both arguments have shape [n, k].

    Raises:
        TooFewModels: a record has fewer than two chosen scores.
    """
    count = chosen.sum(0).astype(np.float64)
    if count.min() < 2:  # noqa: PLR2004  (a variance needs two)
        raise TooFewModels("A record has fewer than two models in an arm to fit its density to.")
    mean = np.where(chosen, scores, 0.0).sum(0) / count
    squares = np.where(chosen, (scores - mean) ** 2, 0.0).sum(0)
    return predictive(mean, squares, count, prior)


def forward(scores: Floats, member: Flags, *, prior: float = PRIOR) -> Floats:
    """Return log-likelihood ratios, learned over never saw, from the models before each model.

    Given the past, a guess depends on one new model only, so guesses are as good as independent
    and bounds for independent guesses hold (prequential analysis, Dawid 1984). More models never
    change an earlier ratio.

    Args:
        scores: membership scores, one row per model in the order of training, shape [n, k].
        member: whether the model learned the record. Shape [n]: the i-th model of either arm is
            judged by the first i - 1 models of both. Shape [n, k], where it differs by record: a
            model is judged by all rows above.
        prior: how many models the pooled variance is worth.

    Returns:
        Ratios of shape [n, k]; NaN for models with fewer than three models before them in an arm.

    Raises:
        TooFewModels: an arm has fewer than five models.
    """
    _check_arms(member, BURN_IN + 2)
    turn = _ranks(member) if member.ndim == 1 else np.arange(len(member))
    learned = np.broadcast_to(member[:, None] if member.ndim == 1 else member, scores.shape)
    centred = scores - scores.mean(0)
    inside = _earlier(centred, learned, turn)
    outside = _earlier(centred, ~learned, turn)
    ratios = inside.density(prior).log_density(centred)
    ratios -= outside.density(prior).log_density(centred)
    ratios[np.minimum(inside.count, outside.count) < BURN_IN] = np.nan
    return ratios


@dataclass(frozen=True, kw_only=True)
class _Sums:
    """Numbers of scores, their sums and their sums of squares; shape [n, k] each."""

    count: Floats
    total: Floats
    squares: Floats

    def density(self, prior: float) -> Predictive:
        """Return the densities; meaningless, but finite, with fewer than two scores."""
        count = np.maximum(self.count, 2.0)
        mean = self.total / count
        return predictive(mean, np.maximum(self.squares - count * mean**2, 0.0), count, prior)


def _earlier(scores: Floats, chosen: Flags, turn: NDArray[np.int64]) -> _Sums:
    """Sum, for each row, the chosen scores of the rows whose turn was earlier."""
    order = np.argsort(turn, kind="stable")
    first_of_turn = np.searchsorted(turn[order], turn, side="left")
    ordered = chosen[order].astype(np.float64)

    def before(values: Floats) -> Floats:
        sums = np.vstack([np.zeros(values.shape[1]), np.cumsum(values, axis=0)])
        return np.asarray(sums[first_of_turn], np.float64)

    values = scores[order]
    return _Sums(
        count=before(ordered), total=before(ordered * values), squares=before(ordered * values**2)
    )


def _ranks(member: Flags) -> NDArray[np.int64]:
    """Return the position of each model within its own arm."""
    return np.asarray(np.where(member, np.cumsum(member), np.cumsum(~member)) - 1, np.int64)


def _check_arms(member: Flags, needed: int) -> None:
    inside = member.sum(0)
    smallest = int(min(inside.min(), (len(member) - inside).min()))
    if smallest < needed:
        raise TooFewModels(f"An arm has {smallest} models; at least {needed} are needed.")


def cross_fit(
    scores: Floats, member: Flags, *, seed: int, folds: int = FOLDS, prior: float = PRIOR
) -> Floats:
    """Return log-likelihood ratios, learned over never saw, from models not fitted to.

    Args:
        scores: membership scores, one row per model, shape [n, k].
        member: whether the model learned the record, shape [n], or [n, k] where it differs.
        seed: of the split of models into folds; equal seeds give equal results.
        folds: at most so many; fewer where an arm is smaller.
        prior: how many models the pooled variance is worth.

    Returns:
        Ratios of shape [n, k]; above zero the attack says "learned".

    Raises:
        TooFewModels: an arm has fewer than three models.
    """
    learned = np.broadcast_to(member[:, None] if member.ndim == 1 else member, scores.shape)
    fold = _folds(member, folds, seed)
    ratios = np.empty_like(scores)
    for held in np.unique(fold):
        rest, out = (fold != held)[:, None], fold == held
        trained = fit(scores, learned & rest, prior).log_density(scores[out])
        ratios[out] = trained - fit(scores, ~learned & rest, prior).log_density(scores[out])
    return ratios


def _folds(member: Flags, folds: int, seed: int) -> NDArray[np.int64]:
    """Return a fold per model, spread evenly over both arms where there are two."""
    _check_arms(member, BURN_IN)
    inside = member.sum(0)
    smallest = int(min(inside.min(), (len(member) - inside).min()))
    rng = np.random.default_rng(seed)
    fold = np.empty(len(member), np.int64)
    arms = (member, ~member) if member.ndim == 1 else (np.ones(len(member), bool),)
    for arm in arms:
        size = int(arm.sum())
        fold[arm] = rng.permutation(size) % min(folds, smallest)
    return fold


def instance_test(
    never_seen: Floats, deployed: Floats, *, learned: Floats | None = None, prior: float = PRIOR
) -> InstanceTest:
    """Test whether the deployed model is one of the models that never saw the records.

    Every model, the deployed one included, is judged by a density fitted to all the others, so
    under the null hypothesis the n + 1 statistics are exchangeable however records correlate.
    It can raise a fail and never a pass; the p-value cannot fall below 1 / (n + 1).

    Args:
        never_seen: scores of unlearned models that never saw the records, shape [n, k].
        deployed: scores of the deployed model, shape [k].
        learned: scores of models that did learn them, shape [m, k]. With it the statistic is a
            sum of log-likelihood ratios, without it the sum of standardised scores.
        prior: how many models the pooled variance is worth.

    Raises:
        TooFewModels: there are fewer than two models in an arm.
    """
    if len(never_seen) < 2 or (learned is not None and len(learned) < 2):  # noqa: PLR2004
        raise TooFewModels("The instance test needs at least two models in each arm.")
    everyone = np.vstack([never_seen, deployed])
    others = _leave_one_out(everyone, prior)
    if learned is None:
        each = (everyone - others.mean) / np.sqrt(others.squared_scale)
    else:
        density = fit(learned, np.ones(learned.shape, bool), prior)
        each = density.log_density(everyone) - others.log_density(everyone)
    statistics = [float(value) for value in each.sum(1)]
    return InstanceTest(never_seen=tuple(statistics[:-1]), deployed=statistics[-1])


def _leave_one_out(scores: Floats, prior: float) -> Predictive:
    """Return, for each of n + 1 rows, the densities fitted to the other n; shapes [n + 1, k]."""
    count = float(len(scores) - 1)
    centre = scores.mean(0)
    deviations = scores - centre
    squares = (deviations**2).sum(0) - deviations**2 * (1 + 1 / count)
    return predictive(
        centre - deviations / count, np.maximum(squares, 0.0), np.asarray(count), prior
    )
