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

from audits.core.attack import NothingToAttackWith, RecordAttack

if TYPE_CHECKING:
    from numpy.typing import NDArray

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


class OutputsNotFinite(ValueError):
    """A model's outputs are no numbers."""


class TooFewRecords(ValueError):
    """A population attack on so few records would be a number without meaning."""


@dataclass(frozen=True, kw_only=True)
class Population(RecordAttack):
    """Logistic regression on six features of a prediction, fitted to known members and strangers.

    **Assumption.** The attacker knows some members and some strangers of the attacked model.

    **Score.** The log-odds of membership from loss, margin, largest probability, entropy,
    correctness and modified entropy, standardised. A report compares forgotten records with
    class-matched, equally many strangers, by predictions out of fold.

    **Reference.** Yeom, Giacomelli, Fredrikson and Jha, "Privacy risk in machine learning", CSF
    2018; Salem et al., "ML-Leaks", NDSS 2019; modified entropy from Song and Mittal, USENIX
    Security 2021.

    **Cost.** None beyond the outputs.

    **Known failure.** It compares different records under one model, so it mixes membership with
    difficulty. It has passed models that still held every record, and can never clear one.
    """

    title: ClassVar[str] = "Population attack"
    paper: ClassVar[str] = "Yeom et al. 2018; Salem et al. 2019"
    adversary: ClassVar[str] = "reads probabilities; knows some members and some strangers"
    can_pass: ClassVar[bool] = False
    reads_outputs: ClassVar[bool] = True

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
        return _log_odds(table, known, observations.target.table, self.strength)


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
        OutputsNotFinite: a model answers with what is no number.
        TooFewRecords: fewer than 30 records are left once classes are matched.
    """
    if not (np.isfinite(forgotten.table).all() and np.isfinite(strangers.table).all()):
        raise OutputsNotFinite("not computed: some outputs of the model are not finite.")
    _check_size(len(forgotten), len(forgotten))
    rng = np.random.default_rng(seed)
    draws = [_resampled(*_draw(forgotten, strangers, rng), rng) for _ in range(REDRAWS)]
    return PopulationReport(
        auc=_interval([draw.auc for draw in draws]),
        advantage=_interval([draw.advantage for draw in draws]),
        records=draws[0].records,
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
        scores[held] = _log_odds(table[rest], member[rest], table[held], 1.0)
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


def _log_odds(known: Floats, member: Flags, questioned: Floats, strength: float) -> Floats:
    """Fit a logistic regression on standardised features; return log-odds of the questioned."""
    centre, spread = known.mean(0), known.std(0)
    spread[spread == 0] = 1.0
    model = LogisticRegression(C=strength, solver="newton-cholesky")
    model.fit((known - centre) / spread, member)
    return np.asarray(model.decision_function((questioned - centre) / spread), np.float64)


@dataclass(frozen=True, kw_only=True)
class _Draw:
    """Statistics of one draw; the first is of the draw itself, the others of resamples."""

    records: int
    auc: Floats
    advantage: Floats


def _resampled(scores: Floats, member: Flags, rng: np.random.Generator) -> _Draw:
    """Resample records with replacement, each side from itself."""
    inside, outside = scores[member], scores[~member]
    weights = _weights(len(inside), rng), _weights(len(outside), rng)
    above = np.sign(inside[:, None] - outside) / 2 + 0.5
    hits, rejections = weights[0] @ (inside > 0), weights[1] @ (outside <= 0)
    return _Draw(
        records=len(inside),
        auc=np.einsum("bi,ij,bj->b", weights[0], above, weights[1], optimize=True),
        advantage=np.abs(hits + rejections - 1),
    )


def _weights(size: int, rng: np.random.Generator) -> Floats:
    """Return equal weights, then those of resamples; shape [1 + RESAMPLES, size]."""
    drawn = rng.multinomial(size, np.full(size, 1 / size), RESAMPLES)
    return np.vstack([np.ones(size), drawn]) / size


def _interval(draws: list[Floats]) -> Interval:
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile([draw[1:] for draw in draws], [tail, 1 - tail])
    estimate = float(np.mean([draw[0] for draw in draws]))
    return Interval(estimate=estimate, low=float(low), high=float(high))
