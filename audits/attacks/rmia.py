"""RMIA offline: does the model favour the record more than it favours strangers?"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, TypeAlias

import numpy as np
from scipy.special import expit, log_expit

from audits.core.attack import NothingToAttackWith, RecordAttack
from audits.core.likelihood import SMALLEST_FIT, TooFewModels
from audits.core.roc import auc

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from audits.core.attack import Observations, References

    Floats: TypeAlias = NDArray[np.float64]

GRID = tuple(step / 10 for step in range(11))
TINY = 1e-300


@dataclass(frozen=True, kw_only=True)
class Rmia(RecordAttack):
    """Rank the rise of a record's probability among the rises of strangers' probabilities.

    **Assumption.** The attacker can train a few models without the record and has strangers: a
    thousand or more records of the same kind that nobody trained on.

    **Score.** The share of strangers z with r(x) / r(z) >= gamma, where r(x) = p(x) / pr(x), p is
    the label's probability under the attacked model and
    pr(x) = ((1 + a) mean p_out(x) + 1 - a) / 2 guesses the mean over all models from those that
    never saw x. ``tuned`` chooses ``a`` by attacking shadow models; the attacked model has no part
    in it.

    **Reference.** Zarifzadeh, Liu and Shokri, "Low-cost high-power membership inference attacks",
    ICML 2024, offline; gamma is 1 in the authors' code.

    **Cost.** One shadow model or more that never saw the records.

    **Known failure.** Probabilities near 1 no longer differ, so very confident models hide their
    members in ties. Published results depend on ``a`` and on the strangers. It does not know how
    members score, and cannot clear a model.
    """

    title: ClassVar[str] = "RMIA, offline"
    paper: ClassVar[str] = "Zarifzadeh et al. 2024, arXiv 2312.03262"
    adversary: ClassVar[str] = "can train without the record; has strangers; reads probabilities"
    can_pass: ClassVar[bool] = False
    burn_in: ClassVar[int] = 1

    a: float = 0.33
    gamma: float = 1.0

    def score(self, observations: Observations) -> Floats:
        """Return the share of strangers that the record outdoes, shape [k]; in [0, 1].

        Raises:
            NothingToAttackWith: there are no strangers, or no shadow models that never saw the
                records together with their margins of the strangers.
        """
        strangers, never_saw = observations.strangers, observations.never_saw
        if not strangers or never_saw is None or never_saw.strangers is None:
            raise NothingToAttackWith(
                "RMIA needs strangers, and shadow models that never saw the records, with their "
                "margins of the same strangers."
            )
        means = expit(never_saw.margins).mean(0), expit(never_saw.strangers).mean(0)
        return _shares(self, observations.target.margin, strangers.margin, means)


def _shares(
    attack: Rmia, records: Floats, strangers: Floats, means: tuple[Floats, Floats]
) -> Floats:
    """Return, for each record, the share of strangers with r(x) / r(z) >= gamma.

    ``means`` are those of the probabilities under models that never saw either.
    """
    bars = np.sort(_rise(attack, strangers, means[1]) + np.log(attack.gamma))
    ranks = np.searchsorted(bars, _rise(attack, records, means[0]), side="right")
    return np.asarray(ranks / len(bars), np.float64)


def _rise(attack: Rmia, margins: Floats, mean: Floats) -> Floats:
    """Return log r."""
    guessed = ((1 + attack.a) * mean + 1 - attack.a) / 2
    return np.asarray(log_expit(margins) - np.log(np.maximum(guessed, TINY)), np.float64)


def tuned(
    learned: References, never_saw: References, *, attack: Rmia | None = None
) -> tuple[Rmia, float]:
    """Return the attack with the ``a`` that tells shadow models of one arm from the other best.

    Every shadow model is attacked in turn, with all models but one that never saw the records as
    references, and never itself. The attacked model of the audit is not asked. The area is the
    largest of several: it says how the attack does on shadow models, and measures no model.

    Args:
        learned: shadow models that learned the records, with margins of strangers.
        never_saw: those that did not, with margins of the same strangers.
        attack: what to tune; by default the attack as declared.

    Returns:
        The tuned attack, and the area under its ROC over shadow models.

    Raises:
        NothingToAttackWith: an arm lacks the margins of strangers.
        TooFewModels: an arm is empty, or fewer than two models never saw the records.
    """
    attack = Rmia() if attack is None else attack
    candidates = [replace(attack, a=a) for a in GRID]
    areas = [_area(each, learned, never_saw) for each in candidates]
    best = int(np.argmax(areas))
    return candidates[best], areas[best]


def _area(attack: Rmia, learned: References, never_saw: References) -> float:
    inside = _attacked(attack, learned, never_saw)
    outside = _attacked(attack, never_saw, never_saw)
    scores = np.concatenate([inside.ravel(), outside.ravel()])
    return auc(scores, np.arange(len(scores)) < inside.size)


def _attacked(attack: Rmia, targets: References, never_saw: References) -> Floats:
    """Return the scores of every model of an arm; each leaves out one reference, its own place."""
    if targets.strangers is None or never_saw.strangers is None:
        raise NothingToAttackWith("Tuning RMIA needs margins of strangers in both arms.")
    if len(never_saw.margins) < SMALLEST_FIT or not len(targets.margins):
        raise TooFewModels(
            f"Tuning RMIA needs a model that learned the records and two that never saw them; "
            f"there are {len(targets.margins)} and {len(never_saw.margins)}."
        )
    means = _mean_of_others(never_saw.margins), _mean_of_others(never_saw.strangers)
    return np.stack(
        [
            _shares(attack, records, strangers, (means[0][place], means[1][place]))
            for records, strangers, place in zip(
                targets.margins,
                targets.strangers,
                np.arange(len(targets.margins)) % len(never_saw.margins),
                strict=True,
            )
        ]
    )


def _mean_of_others(margins: Floats) -> Floats:
    """Return, for each model, the mean probability under all the others."""
    probabilities = expit(margins)
    return np.asarray(
        (probabilities.sum(0) - probabilities) / (len(probabilities) - 1), np.float64
    )
