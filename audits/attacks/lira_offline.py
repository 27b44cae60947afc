"""Offline LiRA: is a margin higher than models that never saw the record would give it?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, TypeAlias

import numpy as np

from audits.core.attack import NothingToAttackWith, RecordAttack
from audits.core.gaussians import fit, queries
from audits.core.likelihood import SMALLEST_FIT

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from audits.core.attack import Observations

    Floats: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class LiraOffline(RecordAttack):
    """Compare a margin with one Gaussian per record: of models that never saw it.

    **Assumption.** The attacker can train models without the record, but not with it. Being a
    member raises the margin.

    **Score.** -log P(Z > phi) for Z ~ N(m_out, s_out^2), averaged over queries if copies are asked
    about. m is the median; with fewer than ``own_spread_from`` models s is that of all residuals
    around the records' medians. The tail is one-sided, as in the paper; the released code takes
    the density, which calls an unusually low margin a member's.

    **Reference.** Carlini, Chien, Nasr, Song, Terzis and Tramer, "Membership inference attacks
    from first principles", IEEE S&P 2022.

    **Cost.** The shadow models of one arm. None of them learned from the person, so nothing has
    to be purged.

    **Known failure.** It does not know how much a member's margin would rise: records that are
    learned by all and those that are not count alike. Forgetting too well, which shows in a low
    margin, is invisible to it. So it cannot clear a model.
    """

    title: ClassVar[str] = "LiRA, offline"
    paper: ClassVar[str] = "Carlini et al. 2022, arXiv 2112.03570"
    adversary: ClassVar[str] = "can train without the record; knows its label; reads probabilities"
    can_pass: ClassVar[bool] = False
    burn_in: ClassVar[int] = SMALLEST_FIT

    own_spread_from: int = 64
    copies: bool = False

    def score(self, observations: Observations) -> Floats:
        """Return minus the log of the upper tail, shape [k]; above zero.

        Raises:
            NothingToAttackWith: no shadow models never saw the records, or there are no copies
                where they are asked for.
            TooFewModels: there are fewer than two of those models.
        """
        never_saw = observations.never_saw
        if never_saw is None:
            raise NothingToAttackWith(
                "Offline LiRA needs the scores of shadow models that never saw the records."
            )
        margins = observations.target.margin
        asked = queries(margins, observations.neighbours, copies=self.copies)
        known = queries(never_saw.margins, never_saw.neighbours, copies=self.copies)
        found = fit(known, self.own_spread_from).surprise(asked)
        return np.asarray(found.mean(-1), np.float64)
