"""From a few bad records to the set that should leave the training, or a sentence why not.

KARMA (Cao et al., "Efficient repair of polluted machine learning systems via causal unlearning",
AsiaCCS 2018) has an administrator name what a model gets wrong and looks for the cluster of
training data that causes it. Here the administrator names training records, and the cause is
looked for among the records that pull the model the same way (``influence``, ``clusters``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from unlearning.core.causal.clusters import chance, grouped
from unlearning.core.causal.features import NotMeasurable, features_of, narrowed
from unlearning.core.causal.influence import fitted, support

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from torch import nn

    from unlearning.core.examples import Examples
    from unlearning.core.session import Session

FEWEST_SEEDS = 3
ALPHA = 0.05


@dataclass(frozen=True, kw_only=True)
class Proposal:
    """What was found around the seeds, one entry for each training record.

    * ``scores``: mean support of the seeds (``influence``), in no unit; higher is more suspicious;
    * ``clusters``: number of the seeds' cluster that a record lies in, 0 for none;
    * ``chance``: p-value, how often random records of the same labels have as much in common;
    * ``reason``: why nothing is proposed; empty where ``clusters`` is a proposal.
    """

    scores: NDArray[np.float64]
    clusters: NDArray[np.int64]
    chance: float
    reason: str = ""


def propose(
    model: nn.Module, examples: Examples, seeds: Sequence[int], session: Session
) -> Proposal:
    """Return the training records that taught a model what the seeds say.

    Args:
        model: a classifier that ends in a linear layer.
        examples: all that it was trained on.
        seeds: places in ``examples`` of records known to be bad; at least ``FEWEST_SEEDS``.
        session: device, seed and progress.

    Raises:
        NotMeasurable: too few seeds, or a model without gradients of its records.
    """
    chosen = np.unique(np.asarray(seeds, dtype=np.int64))
    if len(chosen) < FEWEST_SEEDS:
        raise NotMeasurable(
            f"{len(chosen)} of the seed records were trained on; at least {FEWEST_SEEDS} are "
            "needed to tell what they have in common."
        )
    features, labels = features_of(model, examples, session)
    known, places = np.unique(labels, return_inverse=True)
    session.step("influence", 0, 3)
    head = fitted(narrowed(features, len(known)), places, len(known))
    scores = support(head, chosen)
    session.step("influence", 1, 3)
    by_chance = chance(head, places, chosen, session.seed)
    session.step("influence", 2, 3)
    clusters = grouped(head, places, scores, chosen)
    session.step("influence", 3, 3)
    return Proposal(
        scores=scores, clusters=clusters, chance=by_chance, reason=_doubt(by_chance, len(chosen))
    )


def _doubt(by_chance: float, seeds: int) -> str:
    if by_chance < ALPHA:
        return ""
    return (
        f"The {seeds} seed records have no more in common than records of the same labels drawn "
        f"at random (p = {by_chance:.3f}), so nothing is proposed beside them. Either they are "
        "ordinary records, or each is wrong in its own way: choose others, or list the records "
        "by hand."
    )
