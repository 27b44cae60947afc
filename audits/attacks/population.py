"""The population attack: do forgotten records look unlike records that were never seen?

It compares different records under one model, so it mixes membership with difficulty: on hard
records it calls a model clean that was never unlearned. It is shown, and can never clear a model.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, TypeAlias

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from audits.core.attack import Attack, NothingToAttackWith
from audits.core.roc import auc

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from sklearn.pipeline import Pipeline

    from audits.core.attack import Observations
    from audits.core.features import Outputs

    Floats: TypeAlias = NDArray[np.float64]
    Flags: TypeAlias = NDArray[np.bool_]
    Integers: TypeAlias = NDArray[np.int64]

SMALLEST_SET = 30
REDRAWS = 20
FOLDS = 5
RESAMPLES = 50
CONFIDENCE = 0.95


class TooFewRecords(ValueError):
    """A population attack on so few records would be a number without meaning."""


@dataclass(frozen=True, kw_only=True)
class Population(Attack):
    """Logistic regression on loss, margin, largest probability, entropy and correctness.

    Assumption: the attacker knows some members and some strangers of the attacked model.
    Cost: none beyond the outputs. Known failure: see above; it has passed models that still held
    every record.
    """

    title: ClassVar[str] = "Population attack"
    paper: ClassVar[str] = "Yeom et al. 2018; Salem et al. 2019"
    adversary: ClassVar[str] = "reads probabilities; knows some members and some strangers"
    can_pass: ClassVar[bool] = False

    strength: float = 1.0

    def score(self, observations: Observations) -> Floats:
        """Return the log-odds of membership, shape [k].

        Raises:
            NothingToAttackWith: no members or no strangers are known.
        """
        members, strangers = observations.members, observations.strangers
        if not members or not strangers:
            raise NothingToAttackWith("The population attack needs known members and strangers.")
        table = np.vstack([members.table, strangers.table])
        known = np.arange(len(table)) < len(members)
        model = _classifier(self.strength).fit(table, known)
        return np.asarray(model.decision_function(observations.target.table), np.float64)


@dataclass(frozen=True, kw_only=True)
class Interval:
    """An estimate with its two-sided 95 % bootstrap interval over records."""

    estimate: float
    low: float
    high: float


@dataclass(frozen=True, kw_only=True)
class PopulationReport:
    """How well forgotten records are told from class-matched strangers; descriptive only.

    Attributes:
        auc: area under the ROC of out-of-fold predictions; 0.5 is chance.
        advantage: |2 * balanced accuracy - 1|, two-sided: looking unlike strangers in either
            direction counts.
        records: forgotten records, and as many strangers, in every redraw.
        original: the same for the model before unlearning, where it was given.
    """

    auc: Interval
    advantage: Interval
    records: int
    original: PopulationReport | None = None


def population_report(
    forgotten: Outputs,
    strangers: Outputs,
    *,
    seed: int,
    original: tuple[Outputs, Outputs] | None = None,
) -> PopulationReport:
    """Compare forgotten records with class-matched strangers, redrawn twenty times.

    Args:
        forgotten: the unlearned model's outputs on the forget set.
        strangers: its outputs on examples that were never trained on.
        seed: of redraws, folds and bootstrap.
        original: (forgotten, strangers) under the model before unlearning.

    Raises:
        TooFewRecords: fewer than 30 records are left once classes are matched.
    """
    _check_size(len(forgotten), len(forgotten))
    rng = np.random.default_rng(seed)
    draws = [_draw(forgotten, strangers, rng) for _ in range(REDRAWS)]
    return PopulationReport(
        auc=_interval([_resampled_auc(draw, rng) for draw in draws]),
        advantage=_interval([_resampled_advantage(draw, rng) for draw in draws]),
        records=len(draws[0][0]) // 2,
        original=population_report(*original, seed=seed) if original else None,
    )


def _draw(
    forgotten: Outputs, strangers: Outputs, rng: np.random.Generator
) -> tuple[Floats, Flags]:
    """Return out-of-fold predictions for one class-matched draw, and who was forgotten."""
    chosen, matched = _match(forgotten.labels, strangers.labels, rng)
    _check_size(len(chosen), len(forgotten))
    table = np.vstack([forgotten.take(chosen).table, strangers.take(matched).table])
    member = np.arange(len(table)) < len(chosen)
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=int(rng.integers(2**31)))
    scores = np.empty(len(table))
    for rest, held in folds.split(table, member):
        scores[held] = (
            _classifier(1.0).fit(table[rest], member[rest]).decision_function(table[held])
        )
    return scores, member


def _check_size(usable: int, given: int) -> None:
    if usable < SMALLEST_SET:
        raise TooFewRecords(
            f"not computed: a population attack needs at least {SMALLEST_SET} records with "
            f"strangers of the same class; there are {usable} of {given}."
        )


def _match(
    forgotten: Integers, strangers: Integers, rng: np.random.Generator
) -> tuple[Integers, Integers]:
    """Return equally many of both in every class, as many as there are."""
    chosen, matched = [], []
    for label in np.unique(forgotten):
        ours = rng.permutation(np.flatnonzero(forgotten == label))
        theirs = rng.permutation(np.flatnonzero(strangers == label))
        size = min(len(ours), len(theirs))
        chosen.append(ours[:size])
        matched.append(theirs[:size])
    return np.concatenate(chosen), np.concatenate(matched)


def _classifier(strength: float) -> Pipeline:
    return make_pipeline(StandardScaler(), LogisticRegression(C=strength, max_iter=1000))


def _resampled_auc(draw: tuple[Floats, Flags], rng: np.random.Generator) -> tuple[float, Floats]:
    scores, member = draw
    again = [auc(*_resample(scores, member, rng)) for _ in range(RESAMPLES)]
    return auc(scores, member), np.array(again)


def _resampled_advantage(
    draw: tuple[Floats, Flags], rng: np.random.Generator
) -> tuple[float, Floats]:
    scores, member = draw
    again = [_advantage(*_resample(scores, member, rng)) for _ in range(RESAMPLES)]
    return _advantage(scores, member), np.array(again)


def _resample(scores: Floats, member: Flags, rng: np.random.Generator) -> tuple[Floats, Flags]:
    """Draw records with replacement, each side from itself."""
    sides = [np.flatnonzero(member), np.flatnonzero(~member)]
    drawn = np.concatenate([rng.choice(side, len(side)) for side in sides])
    return scores[drawn], member[drawn]


def _advantage(scores: Floats, member: Flags) -> float:
    return float(abs((scores[member] > 0).mean() + (scores[~member] <= 0).mean() - 1))


def _interval(draws: list[tuple[float, Floats]]) -> Interval:
    pooled = np.concatenate([again for _, again in draws])
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(pooled, [tail, 1 - tail])
    estimate = float(np.mean([value for value, _ in draws]))
    return Interval(estimate=estimate, low=float(low), high=float(high))
