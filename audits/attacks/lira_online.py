"""Online LiRA: the likelihood-ratio attack with plain Gaussians, as it was published."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, TypeAlias

import numpy as np

from audits.core.attack import NothingToAttackWith, RecordAttack
from audits.core.gaussians import fit, queries
from audits.core.likelihood import BURN_IN

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from audits.core.attack import Observations, References

    Floats: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class LiraOnline(RecordAttack):
    """Compare a margin with two Gaussians per record: of models that learned it and that did not.

    **Assumption.** The attacker can repeat training (and unlearning), knows the record and its
    label, and a record's margins over trainings are Gaussian.

    **Score.** log N(phi; m_in, s_in) - log N(phi; m_out, s_out), averaged over queries if copies
    are asked about. m is the median. With fewer than ``own_spread_from`` models in an arm, s is
    that of all residuals around the records' medians. The released code takes the spread of raw
    scores there, and that of the members for both arms; neither is repeated.

    **Reference.** Carlini, Chien, Nasr, Song, Terzis and Tramer, "Membership inference attacks
    from first principles", IEEE S&P 2022. It stands beside U-LiRA so that its numbers can be
    compared with published ones.

    **Cost.** The shadow models, which U-LiRA needs anyway.

    **Known failure.** A record's own spread from few models is noise, and a Gaussian punishes it
    without bound: below some 32 models it is weaker than U-LiRA. Records that no model memorises
    give no signal.
    """

    title: ClassVar[str] = "LiRA, online"
    paper: ClassVar[str] = "Carlini et al. 2022, arXiv 2112.03570"
    adversary: ClassVar[str] = "knows the procedure, the record and its label; reads probabilities"
    can_pass: ClassVar[bool] = True
    is_ratio: ClassVar[bool] = True
    burn_in: ClassVar[int] = BURN_IN

    own_spread_from: int = 64
    copies: bool = False

    def score(self, observations: Observations) -> Floats:
        """Return log-likelihood ratios, shape [k].

        Raises:
            NothingToAttackWith: there are no shadow models, or no copies where they are asked for.
            TooFewModels: an arm has fewer than two of them.
        """
        learned, never_saw = observations.learned, observations.never_saw
        if learned is None or never_saw is None:
            raise NothingToAttackWith(
                "Online LiRA needs the scores of shadow models of both arms."
            )
        margins = observations.target.margin
        asked = queries(margins, observations.neighbours, copies=self.copies)
        ratios = self._log_density(learned, asked) - self._log_density(never_saw, asked)
        return np.asarray(ratios.mean(-1), np.float64)

    def _log_density(self, arm: References, asked: Floats) -> Floats:
        known = queries(arm.margins, arm.neighbours, copies=self.copies)
        return fit(known, self.own_spread_from).log_density(asked)
