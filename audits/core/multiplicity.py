"""Which of many hypotheses may be rejected together. Plain numbers, no numerical library.

"Passes everywhere" needs none of this: it is rejected unless every single test is (an
intersection-union test, Berger 1982), so each is made at the full error probability. "Fails
somewhere, and this is where" does.
"""

from __future__ import annotations

import math
from functools import cache
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Mapping

Key = TypeVar("Key")
ROUNDING = 1e-12


class NotAnEvidence(ValueError):
    """A p-value or an e-value is out of its range."""


def holm(p_values: Mapping[Key, float]) -> dict[Key, float]:
    """Return adjusted p-values: reject where one is at most alpha (Holm 1979).

    The probability of any wrong rejection is at most alpha, however the tests depend.

    Raises:
        NotAnEvidence: a p-value is not in [0, 1].
    """
    for key, p in p_values.items():
        if not 0 <= p <= 1:
            raise NotAnEvidence(f"The p-value of {key} is {p}; it must lie in [0, 1].")
    adjusted: dict[Key, float] = {}
    largest = 0.0
    for place, key in enumerate(sorted(p_values, key=lambda key: p_values[key])):
        largest = max(largest, min(1.0, (len(p_values) - place) * p_values[key]))
        adjusted[key] = largest
    return adjusted


def e_from_p(p: float, *, hypotheses: int, alpha: float) -> float:
    """Return an e-value made from a p-value, for use in ``e_bh`` among so many hypotheses.

    ``e_bh`` on K hypotheses asks only whether an e-value reaches K / (alpha * j) for a whole
    number j up to K. This calibrator takes no other value: with l = 1 + 1/2 + ... + 1/K it is
    K / (alpha * j) where p is above (j - 1) and at most j times alpha / (K * l), and zero beyond
    the last. Its mean under a uniform p-value is one, so it is an e-value. ``e_bh`` is then the
    procedure of Benjamini and Yekutieli (2001), which holds however the p-values depend, and a
    single hypothesis is rejected at alpha. A calibrator that does not know K, such as
    1 / sqrt(p) - 1, needs a p-value below 0.0023 for that where alpha is 0.05.
    Source: Wang and Ramdas 2022.

    Raises:
        NotAnEvidence: the p-value is not in [0, 1].
    """
    if not 0 <= p <= 1:
        raise NotAnEvidence(f"A p-value is {p}; it must lie in [0, 1].")
    harmonic = _harmonic(hypotheses)
    # Thresholds are lower by as much as values are larger: the mean stays one, and e_bh meets
    # its threshold in floating point.
    place = max(1, math.ceil(p * hypotheses * harmonic / alpha * (1 + ROUNDING)))
    return hypotheses / (alpha * place) * (1 + ROUNDING) if place <= hypotheses else 0.0


def e_bh(e_values: Mapping[Key, float], alpha: float) -> tuple[Key, ...]:
    """Return the hypotheses that e-Benjamini-Hochberg rejects, largest e-value first.

    At most a share ``alpha`` of what is rejected is expected to be true, however the e-values
    depend; shared pools of shadow models make those of several requests depend.
    Source: Wang and Ramdas 2022.

    Raises:
        NotAnEvidence: an e-value is negative or not a number.
    """
    for key, e in e_values.items():
        if not e >= 0:
            raise NotAnEvidence(f"The e-value of {key} is {e}; it must be zero or more.")
    ordered = sorted(e_values, key=lambda key: -e_values[key])
    rejected = 0
    for place, key in enumerate(ordered, start=1):
        if place * e_values[key] >= len(ordered) / alpha:
            rejected = place
    return tuple(ordered[:rejected])


@cache
def _harmonic(count: int) -> float:
    """Return 1 + 1/2 + ... + 1/count."""
    return math.fsum(1 / one for one in range(1, count + 1))
