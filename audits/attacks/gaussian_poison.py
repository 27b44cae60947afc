"""Gaussian poison: does the model still lean towards noise that only its training data held?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, TypeAlias

import numpy as np
from scipy import special

from audits.core.attack import CanaryAttack, CanaryFinding, NothingToAttackWith

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from audits.core.attack import PlantedScores

    Floats: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class GaussianPoison(CanaryAttack):
    """A test on canaries to which secret Gaussian noise was added before training.

    **Assumption.** m canaries u = x + xi were trained on and then erased; xi was drawn from
    N(0, size^2 I) and nobody but the auditor has its seed; the model gives gradients.

    **Score.** z = (xi / size) . g, g the normalised gradient of the margin at the clean x (see
    ``audits.core.canaries``). The statistic is Z = sum z / sqrt(m). If the noise never influenced
    the model, then given the model each z is standard normal and they are independent, whatever
    the model, the canaries and the labels are: the two-sided p-value is exact, without shadow
    models. Two-sided, as forgetting too well leans away from the noise. Canaries at which the
    model is flat are left out, which depends on no noise.

    **Reference.** Pawelczyk, Di, Lu, Kamath, Sekhari and Neel, "Machine unlearning fails to remove
    data poisoning attacks", arXiv 2406.17216.

    **Cost.** One forward and one backward pass per canary; noisy records in the training data.

    **Known failure.** It speaks of the canaries alone, which must be planted before training, and
    not of a person's records; inputs must be continuous. A model too small to memorise the noise
    never leaned towards it, which the same test before the erasure shows (``control``).
    """

    title: ClassVar[str] = "Gaussian poison"
    paper: ClassVar[str] = "Pawelczyk et al. 2024, arXiv 2406.17216"
    adversary: ClassVar[str] = "planted noisy canaries; reads gradients of the model"

    def examine(self, planted: PlantedScores) -> CanaryFinding:
        """Return Z over the canaries and its p-value under no influence.

        Raises:
            NothingToAttackWith: no canary has a score.
        """
        statistic, counted = _statistic(planted.after)
        before = planted.before
        return CanaryFinding(
            canaries=counted,
            statistic=statistic,
            p_value=_two_sided(statistic),
            control=None if before is None else _two_sided(_statistic(before)[0]),
        )


def _statistic(scores: Floats) -> tuple[float, int]:
    known = scores[~np.isnan(scores)]
    if len(known) == 0:
        raise NothingToAttackWith("The Gaussian poison test needs a canary that has a gradient.")
    return float(known.sum() / np.sqrt(len(known))), len(known)


def _two_sided(statistic: float) -> float:
    return float(2 * special.ndtr(-abs(statistic)))
