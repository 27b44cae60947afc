"""U-LiRA: compare a record's score with those of shadow models that did and did not learn it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, TypeAlias

from audits.core.attack import NothingToAttackWith, RecordAttack
from audits.core.likelihood import BURN_IN, PRIOR, log_ratios, moments

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from audits.core.attack import Observations

    Floats: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class ULira(RecordAttack):
    """The per-record likelihood-ratio attack, applied to models that were unlearned.

    **Assumption.** The attacker can repeat training and unlearning, and knows the record and its
    label.

    **Score.** log t(phi; learned) - log t(phi; never saw), with Student-t predictive densities
    whose variances are shrunk towards the average record's. It is two-sided: forgetting too well
    shows.

    **Reference.** Hayes, Shumailov, Triantafillou, Khalifa and Papernot, "Inexact unlearning needs
    more careful evaluations to avoid a false sense of privacy", arXiv 2403.01218; Carlini et al.,
    IEEE S&P 2022. The shrinkage follows BaVarIA, arXiv 2603.11799.

    **Cost.** The shadow models.

    **Known failure.** Records that no model memorises give no signal.
    """

    title: ClassVar[str] = "U-LiRA"
    paper: ClassVar[str] = "Hayes et al. 2024, arXiv 2403.01218; Carlini et al. 2022"
    adversary: ClassVar[str] = "knows the procedure, the record and its label; reads probabilities"
    can_pass: ClassVar[bool] = True
    is_ratio: ClassVar[bool] = True
    burn_in: ClassVar[int] = BURN_IN

    prior: float = PRIOR

    def score(self, observations: Observations) -> Floats:
        """Return log-likelihood ratios, shape [k].

        Raises:
            NothingToAttackWith: there are no shadow models.
            TooFewModels: an arm has fewer than two of them.
        """
        learned, never_saw = observations.learned, observations.never_saw
        if learned is None or never_saw is None:
            raise NothingToAttackWith("U-LiRA needs the scores of shadow models of both arms.")
        margins = observations.target.margin[None, :]
        ratios = log_ratios(
            margins, moments(learned.margins), moments(never_saw.margins), prior=self.prior
        )
        return ratios.reshape(-1)
