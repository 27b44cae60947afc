"""Likelihood ratios from shadow models: Student-t predictive densities with shrunken variances.

With few models a record's own variance is unreliable, so it is drawn towards the variance of all
records in both arms (a normal-inverse-gamma prior; a Student-t predictive). The models that fit a
density are never the models it judges: judging them in-sample finds leaks where there are none.

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
BURN_IN = 4
SMALLEST_FIT = 2
TINY = 1e-18


class TooFewModels(ValueError):
    """A density cannot be fitted from so few models."""


@dataclass(frozen=True, kw_only=True)
class Moments:
    """Number, mean and squared deviations of scores per record; shapes [k], or [n, k]."""

    count: Floats
    mean: Floats
    squares: Floats

    @property
    def spare(self) -> Floats:
        """Return the degrees of freedom left for the variance."""
        return self.count - 1

    def log_density(self, scores: Floats, pooled: Floats, prior: float) -> Floats:
        """Return the log predictive density of scores, shape [n, k], up to a constant.

        The variance is (prior * pooled + squares) / (prior + count - 1).
        """
        freedom = prior + self.spare
        variance = (prior * pooled + self.squares) / freedom
        # Scores that do not vary at all keep a density that a computer can divide by.
        variance = np.maximum(variance, TINY * (1 + self.mean**2))
        scale = variance * (1 + 1 / self.count) * freedom
        half = (freedom + 1) / 2
        constant = gammaln(half) - gammaln(half - 0.5) - 0.5 * np.log(scale)
        density = constant - half * np.log1p((scores - self.mean) ** 2 / scale)
        return np.asarray(density, np.float64)


def moments(scores: Floats, chosen: Flags | None = None) -> Moments:
    """Summarise the chosen scores of each record; both arguments have shape [n, k].

    Raises:
        TooFewModels: a record has fewer than two chosen scores.
    """
    chosen = np.ones(scores.shape, bool) if chosen is None else chosen
    count = chosen.sum(0).astype(np.float64)
    if count.min() < SMALLEST_FIT:
        raise TooFewModels("A record has fewer than two models in an arm to fit its density to.")
    mean = np.where(chosen, scores, 0.0).sum(0) / count
    squares = np.where(chosen, (scores - mean) ** 2, 0.0).sum(0)
    return Moments(count=count, mean=mean, squares=squares)


def log_ratios(
    scores: Floats, learned: Moments, never_saw: Moments, *, prior: float = PRIOR
) -> Floats:
    """Return log t(score; learned) - log t(score; never saw), shape [n, k].

    ``prior`` is how many models the pooled variance is worth.
    """
    squares = (learned.squares + never_saw.squares).sum(-1, keepdims=True)
    pooled = squares / (learned.spare + never_saw.spare).sum(-1, keepdims=True)
    inside = learned.log_density(scores, pooled, prior)
    return inside - never_saw.log_density(scores, pooled, prior)


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
        Ratios of shape [n, k]; NaN for models with fewer than four models before them in an arm.

    Raises:
        TooFewModels: an arm has fewer than six models.
    """
    _check_arms(member, BURN_IN + 2)
    turn = _ranks(member) if member.ndim == 1 else np.arange(len(member))
    learned = np.broadcast_to(member[:, None] if member.ndim == 1 else member, scores.shape)
    centred = scores - scores.mean(0)
    inside = _earlier(centred, learned, turn)
    outside = _earlier(centred, ~learned, turn)
    ratios = log_ratios(centred, inside, outside, prior=prior)
    ratios[~_judged(learned, turn)] = np.nan
    return ratios


def _judged(learned: Flags, turn: NDArray[np.int64]) -> Flags:
    """Return where enough models of both arms came before."""
    smaller = np.minimum(_before(learned, turn), _before(~learned, turn))
    return np.asarray(smaller >= BURN_IN, np.bool_)


def _earlier(scores: Floats, chosen: Flags, turn: NDArray[np.int64]) -> Moments:
    """Summarise, for each row, the chosen scores of the rows whose turn was earlier.

    With fewer than two such rows the numbers are finite, and without meaning.
    """
    count = np.maximum(_before(chosen, turn), float(SMALLEST_FIT))
    mean = _before(chosen * scores, turn) / count
    squares = _before(chosen * scores**2, turn) - count * mean**2
    return Moments(count=count, mean=mean, squares=np.maximum(squares, 0.0))


def _before(values: NDArray[np.generic], turn: NDArray[np.int64]) -> Floats:
    """Return, for each row, the sum of the rows whose turn was earlier; shape [n, k]."""
    order = np.argsort(turn, kind="stable")
    sums = np.vstack([np.zeros(values.shape[1]), np.cumsum(values[order], axis=0)])
    return np.asarray(sums[np.searchsorted(turn[order], turn)], np.float64)


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
        inside, outside = moments(scores, learned & rest), moments(scores, ~learned & rest)
        ratios[out] = log_ratios(scores[out], inside, outside, prior=prior)
    return ratios


def _folds(member: Flags, folds: int, seed: int) -> NDArray[np.int64]:
    """Return a fold per model, spread evenly over both arms where there are two."""
    _check_arms(member, SMALLEST_FIT + 1)
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
    everyone = np.vstack([never_seen, deployed])
    others = _leave_one_out(everyone)
    if learned is None:
        each = (everyone - others.mean) / _spread(others, prior)
    else:
        each = log_ratios(everyone, moments(learned), others, prior=prior)
    statistics = [float(value) for value in each.sum(1)]
    return InstanceTest(never_seen=tuple(statistics[:-1]), deployed=statistics[-1])


def _leave_one_out(scores: Floats) -> Moments:
    """Summarise, for each of n + 1 rows, the other n; shapes [n + 1, k]."""
    count = float(len(scores) - 1)
    if count < SMALLEST_FIT:
        raise TooFewModels("The instance test needs at least two models that never saw a record.")
    centre = scores.mean(0)
    deviations = scores - centre
    squares = (deviations**2).sum(0) - deviations**2 * (1 + 1 / count)
    return Moments(
        count=np.full_like(scores, count),
        mean=centre - deviations / count,
        squares=np.maximum(squares, 0.0),
    )


def _spread(others: Moments, prior: float) -> Floats:
    """Return the shrunken standard deviation per record."""
    pooled = (others.squares / others.spare).mean(-1, keepdims=True)
    variance = (prior * pooled + others.squares) / (prior + others.spare)
    return np.asarray(np.sqrt(np.maximum(variance, TINY * (1 + others.mean**2))), np.float64)
