"""The update leak: what do two versions, before and after an erasure, give away together?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, TypeAlias

from audits.core.attack import NothingToAttackWith, RecordAttack
from audits.core.likelihood import BURN_IN, PRIOR, log_ratios, moments

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from audits.core.attack import Observations, References

    Floats: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class UpdateLeak(RecordAttack):
    """Score how far a record's margin fell between the version before and the version after.

    **Assumption.** The attacker kept the answers of the version before, and has those of the
    version after. With shadow models he also knows how margins fall for records that are erased
    and for records that never were there.

    **Score.** d = phi_before - phi_after. Given shadow models of both arms, log t(d; learned and
    unlearned) - log t(d; never saw, same pipeline), as U-LiRA does with phi; without any, d.

    **Reference.** Chen, Zhang, Wang, Backes, Humbert and Zhang, "When machine unlearning
    jeopardizes privacy", CCS 2021; Salem, Bhattacharya, Backes, Fritz and Zhang, "Updates-Leak",
    USENIX Security 2020. The papers train a classifier on both predictions; the likelihood ratio
    of the difference needs fewer models.

    **Cost.** None beyond what U-LiRA needs, if the margins before unlearning were kept.

    **Known failure.** A perfect retraining is found out too, and no unlearning at all is not: what
    shows is that the record was *erased*. So it judges whether an old version may stay in
    anybody's hands, and never an erasure.
    """

    title: ClassVar[str] = "Update leak"
    paper: ClassVar[str] = "Chen et al. 2021, arXiv 2005.02205; Salem et al. 2020"
    adversary: ClassVar[str] = "has the version before and the version after; reads probabilities"
    can_pass: ClassVar[bool] = False
    is_ratio: ClassVar[bool] = True
    burn_in: ClassVar[int] = BURN_IN
    compares_versions: ClassVar[bool] = True

    prior: float = PRIOR

    def score(self, observations: Observations) -> Floats:
        """Return log-likelihood ratios, or without shadow models the falls themselves; shape [k].

        Raises:
            NothingToAttackWith: there is no version before, or shadow models lack theirs.
            TooFewModels: an arm has fewer than two shadow models.
        """
        if observations.earlier is None:
            raise NothingToAttackWith("The update leak needs outputs of the version before.")
        fall = observations.earlier.margin - observations.target.margin
        learned, never_saw = observations.learned, observations.never_saw
        if learned is None or never_saw is None:
            return fall
        inside, outside = moments(_falls(learned)), moments(_falls(never_saw))
        return log_ratios(fall[None, :], inside, outside, prior=self.prior).reshape(-1)


def _falls(arm: References) -> Floats:
    if arm.earlier is None:
        raise NothingToAttackWith("The update leak needs the shadow models' margins before, too.")
    return arm.earlier - arm.margins
