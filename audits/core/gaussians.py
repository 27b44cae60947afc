"""Plain Gaussians per record, as the likelihood-ratio attack was published (Carlini et al. 2022).

Each record's scores under the shadow models of one arm have their median as the centre. The spread
is the record's own, or, with few models, one for all records. That one is the spread of residuals
around the records' medians: the spread of the raw scores would count how records differ from each
other as noise of training. ``likelihood`` holds what decides here, a Student-t between the two.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from scipy.special import log_ndtr

from audits.core.attack import NothingToAttackWith
from audits.core.likelihood import SMALLEST_FIT, TooFewModels

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats: TypeAlias = NDArray[np.float64]

NEVER_ZERO = 1e-30
LOG_ROOT = float(np.log(2 * np.pi) / 2)


@dataclass(frozen=True, kw_only=True, eq=False)
class Gaussians:
    """A centre and a spread for every query of every record; shapes [k, q]."""

    centre: Floats
    spread: Floats

    def log_density(self, scores: Floats) -> Floats:
        """Return the log density of the scores, shape [k, q]."""
        standard = (scores - self.centre) / self.spread
        return np.asarray(-(standard**2) / 2 - np.log(self.spread) - LOG_ROOT, np.float64)

    def surprise(self, scores: Floats) -> Floats:
        """Return minus the log probability of a larger score, shape [k, q].

        It has no ceiling, where that of a smaller score ends at zero.
        """
        return np.asarray(-log_ndtr((self.centre - scores) / self.spread), np.float64)


def fit(scores: Floats, own_spread_from: int) -> Gaussians:
    """Fit Gaussians to the scores of n models, shape [n, k, q].

    Args:
        scores: one arm's.
        own_spread_from: so many models are enough for a record to have a spread of its own.

    Raises:
        TooFewModels: there are fewer than two models.
    """
    if len(scores) < SMALLEST_FIT:
        raise TooFewModels(f"A Gaussian needs two models or more; there are {len(scores)}.")
    centre = np.median(scores, axis=0)
    residuals = scores - centre
    own = len(scores) >= own_spread_from
    spread = residuals.std(axis=0) if own else np.full(centre.shape, residuals.std())
    return Gaussians(centre=centre, spread=spread + NEVER_ZERO)


def queries(margins: Floats, neighbours: Floats | None, *, copies: bool) -> Floats:
    """Return what is asked about each record: itself, then its copies; shape [..., k, 1 + q].

    Args:
        margins: of the records, shape [..., k].
        neighbours: of q copies of each, shape [..., k, q].
        copies: whether the copies are asked about.

    Raises:
        NothingToAttackWith: copies are to be asked about, and there are none.
    """
    if not copies:
        return margins[..., None]
    if neighbours is None:
        raise NothingToAttackWith("An attack on copies needs the margins of neighbours.")
    return np.concatenate([margins[..., None], neighbours], axis=-1)
