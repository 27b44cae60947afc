"""Whether one threshold on the loss tells forgotten records from ones that were never seen.

The population attack of the *Deep Unlearn* benchmark, kept to its letter so that numbers can be
compared. It is an average over easy and hard records and can never clear a model.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedShuffleSplit

if TYPE_CHECKING:
    from numpy.typing import NDArray

FOLDS, HELD_OUT = 10, 0.1
FEWEST = 10


class TooFewToAttack(ValueError):
    """With so few records on either side, the attack cannot be cross-validated."""


def population_mia(
    forgotten: NDArray[np.float64], strangers: NDArray[np.float64], *, seed: int
) -> float:
    """Return the mean accuracy, 0..1, of a logistic regression on the loss; chance is 0.5.

    As many of both are drawn, and ten times a tenth is held out (Cadet et al., EuroS&P 2025).

    Args:
        forgotten: cross-entropy of each record of the forget set, (n,).
        strangers: the same of records that were never trained on, (m,).
        seed: of the draw and of the folds.

    Raises:
        TooFewToAttack: there are fewer than ten of either.
    """
    size = min(len(forgotten), len(strangers))
    if size < FEWEST:
        raise TooFewToAttack(
            f"There are {len(forgotten)} forgotten records and {len(strangers)} strangers; at "
            f"least {FEWEST} of each are needed."
        )
    rng = np.random.default_rng(seed)
    sides = [rng.permutation(each)[:size] for each in (forgotten, strangers)]
    losses = np.concatenate(sides)[:, None]
    member = np.arange(2 * size) < size
    folds = StratifiedShuffleSplit(FOLDS, test_size=HELD_OUT, random_state=seed % 2**32)
    return float(np.mean([_hits(losses, member, *fold) for fold in folds.split(losses, member)]))


def _hits(
    losses: NDArray[np.float64],
    member: NDArray[np.bool_],
    known: NDArray[np.intp],
    asked: NDArray[np.intp],
) -> float:
    model = LogisticRegression().fit(losses[known], member[known])
    return float(model.score(losses[asked], member[asked]))


def indiscernibility(accuracy: float) -> float:
    """Return 1 - |2 * accuracy - 1|: 1 where the attacker is at chance, on either side of it.

    Sampling alone keeps a retrained model below 1; compare with its own value.
    """
    return 1 - abs(2 * accuracy - 1)
