"""Which of many hypotheses may be rejected together. Plain numbers, no numerical library.

"Passes everywhere" needs none of this: it is rejected unless every single test is (an
intersection-union test, Berger 1982), so each is made at the full error probability. "Fails
somewhere, and this is where" does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Mapping

Key = TypeVar("Key")


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
