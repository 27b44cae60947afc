"""The neighbourhood attack: what a model says of a record's copies, beside what it says of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, TypeAlias

import numpy as np

from audits.core.attack import NothingToAttackWith, RecordAttack
from audits.core.likelihood import (
    BURN_IN,
    PRIOR,
    SMALLEST_FIT,
    Moments,
    TooFewModels,
    log_ratios,
    moments,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from audits.core.attack import Observations, References

    Floats: TypeAlias = NDArray[np.float64]

TINY = 1e-9


@dataclass(frozen=True, kw_only=True)
class Neighbourhood(RecordAttack):
    """A likelihood ratio over the margins of a record and of its shifted and noised copies.

    It meets a method that gives the questioned records the margins of models that never saw them:
    the dent that this leaves is seen from beside, even if every margin asked about is right.

    **Assumption.** As for U-LiRA, and the method does not know the copies.

    **Score.** With v the margins of a record and its q copies, w = W v are uncorrelated
    components, and the score is the sum over components of log t(w; learned) -
    log t(w; never saw), the Student-t predictive densities of U-LiRA. W comes from the covariance
    of v under models of one arm, pooled over arms and records and drawn towards its diagonal by
    ``shrinkage``. Copies go up and down with their record, so that its own margin and the
    differences of the copies from it tell far more than a sum over margins, or their mean and
    spread. Differences of the arms' means are shrunken, as components are many and models few.
    It is two-sided, being fitted to both arms.

    **Reference.** None known for the whole; queries of augmented copies are from Carlini et al.,
    "Membership inference attacks from first principles", IEEE S&P 2022, who average over them.

    **Cost.** The shadow models, and q more evaluations of each record under each of them.

    **Known failure.** Copies nearer than the dent is wide tell nothing new, copies farther than
    the model generalises tell nothing at all, and a method that matches those as well is not seen.
    """

    title: ClassVar[str] = "Neighbourhood attack"
    paper: ClassVar[str] = "this project; after Carlini et al. 2022 (augmented queries)"
    adversary: ClassVar[str] = "as for U-LiRA; also reads probabilities of altered records"
    can_pass: ClassVar[bool] = True
    is_ratio: ClassVar[bool] = True
    burn_in: ClassVar[int] = BURN_IN
    reads_copies: ClassVar[bool] = True

    prior: float = PRIOR
    shrinkage: float = 0.05

    def score(self, observations: Observations) -> Floats:
        """Return log-likelihood ratios, shape [k].

        Raises:
            NothingToAttackWith: the copies' margins or the shadow models are missing.
            TooFewModels: an arm has fewer than two models.
        """
        learned = _with_copies(observations.learned)
        never_saw = _with_copies(observations.never_saw)
        around = observations.neighbours
        if learned is None or never_saw is None or around is None:
            raise NothingToAttackWith(
                "The neighbourhood attack needs the margins of records' copies, under the "
                "attacked model and under shadow models of both arms."
            )
        if min(len(learned), len(never_saw)) < SMALLEST_FIT:
            raise TooFewModels("The neighbourhood attack needs two models or more in each arm.")
        target = np.column_stack([observations.target.margin, around])
        turn = self._decorrelation(learned, never_saw)
        components = (np.moveaxis(v @ turn, -1, 0) for v in (target, learned, never_saw))
        ratios = [
            log_ratios(one[None], *_drawn_together(inside, outside), prior=self.prior)[0]
            for one, inside, outside in zip(*components, strict=True)
        ]
        return np.asarray(np.sum(ratios, axis=0), np.float64)

    def _decorrelation(self, learned: Floats, never_saw: Floats) -> Floats:
        """Return what turns margins into components of variance one, shape [1 + q, 1 + q]."""
        arms = [arm - arm.mean(0) for arm in (learned, never_saw)]
        rows = np.concatenate([arm.reshape(-1, arm.shape[-1]) for arm in arms])
        together = rows.T @ rows / len(rows)
        alone = np.diag(np.diag(together))
        variances, axes = np.linalg.eigh((1 - self.shrinkage) * together + self.shrinkage * alone)
        floor = max(float(variances.max()) * TINY, np.finfo(float).tiny)
        return np.asarray(axes / np.sqrt(np.maximum(variances, floor)), np.float64)


def _drawn_together(learned: Floats, never_saw: Floats) -> tuple[Moments, Moments]:
    """Return the moments of one component, with differences of means as small as they may be.

    Means of few models differ by chance. A record's difference is drawn towards the average
    record's, and that towards zero, by the normal prior whose variance fits all records best
    (empirical Bayes; the component's variance is one): a component that tells nothing then adds
    next to no noise.
    """
    inside, outside = moments(learned), moments(never_saw)
    chance = 1 / inside.count + 1 / outside.count
    found = inside.mean - outside.mean
    average = found.mean() * _believed(found.mean() ** 2, chance.mean() / len(found))
    spread = ((found - average) ** 2).mean()
    half = (average + _believed(spread, chance.mean()) * (found - average)) / 2
    middle = (inside.mean + outside.mean) / 2
    return replace(inside, mean=middle + half), replace(outside, mean=middle - half)


def _believed(square: float, chance: float) -> float:
    """Return the share of a mean square that is not chance."""
    return max(0.0, 1 - chance / max(square, TINY))


def _with_copies(arm: References | None) -> Floats | None:
    """Return the margins of records and of their copies, shape [n, k, 1 + q]."""
    if arm is None or arm.neighbours is None:
        return None
    return np.concatenate([arm.margins[..., None], arm.neighbours], axis=-1)
