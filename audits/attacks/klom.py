"""KLoM: how far are the margins of unlearned models from those of retrained ones, per record?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, TypeAlias

import numpy as np

from audits.core.attack import ModelComparison

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats: TypeAlias = NDArray[np.float64]

LARGEST = 100.0
FLOOR = 1e-5


@dataclass(frozen=True, kw_only=True)
class Klom(ModelComparison):
    """The KL divergence of binned margins, unlearned from retrained.

    **Assumption.** The attacker has many unlearned and many retrained models, each an independent
    draw of its procedure.

    **Score.** sum over bins of p log(p / q), where p and q are the shares of unlearned and of
    retrained models in equal bins over the joint range of a record's margins, which are kept
    within 100 of zero; shares below 1e-5 count as that much. It is two-sided by nature.

    **Reference.** Georgiev, Rinberg, Park, Garg, Ilyas, Madry and Neel, "Attribute-to-Delete:
    machine unlearning via datamodel matching", arXiv 2410.23232.

    **Cost.** The models; the method's authors take 100 of either kind.

    **Known failure.** A bin that holds an unlearned and no retrained model costs a lot, so that
    with few models identical procedures are far apart: it is read beside retrained against
    retrained.
    """

    title: ClassVar[str] = "KL divergence of margins (KLoM)"
    paper: ClassVar[str] = "Georgiev et al. 2024, arXiv 2410.23232"
    adversary: ClassVar[str] = "trains, unlearns and retrains many times; reads probabilities"

    bins: int = 20

    def distance(self, unlearned: Floats, retrained: Floats) -> Floats:
        """Return the divergence in nats per record, shape [k]; margins [n, k] and [m, k]."""
        ours, theirs = (np.clip(each, -LARGEST, LARGEST) for each in (unlearned, retrained))
        low = np.minimum(ours.min(0), theirs.min(0))
        width = np.maximum(ours.max(0), theirs.max(0)) - low
        p, q = (
            self._shares((each - low) / np.where(width > 0, width, 1.0)) for each in (ours, theirs)
        )
        return np.asarray((p * np.log(p / q)).sum(0), np.float64)

    def _shares(self, places: Floats) -> Floats:
        """Return the share of models in each bin, shape [bins, k]; places lie in 0 to 1."""
        models, records = places.shape
        bins = np.minimum((places * self.bins).astype(np.int64), self.bins - 1)
        flat = np.bincount(
            (bins * records + np.arange(records)).ravel(), minlength=self.bins * records
        )
        shares = np.maximum(flat.reshape(self.bins, records) / models, FLOOR)
        return np.asarray(shares / shares.sum(0), np.float64)
