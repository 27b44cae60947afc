"""Sentences for numbers that no plan of training can have."""

from __future__ import annotations

import math


class NotPossible(ValueError):
    """A number or a name that is given cannot be; the sentence says what is allowed."""


def whole(name: str, value: object, least: int = 1) -> None:
    """Refuse what is not a whole number of at least ``least``.

    Raises:
        NotPossible: names the argument, its value and what is allowed.
    """
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise NotPossible(f"{name} is {value!r}; it must be a whole number of at least {least}.")


def between(name: str, value: float, low: float = 0.0, high: float = math.inf) -> None:
    """Refuse what is not a finite number in [low, high].

    Raises:
        NotPossible: names the argument, its value and what is allowed.
    """
    if not math.isfinite(value) or not low <= value <= high:
        allowed = f"at least {low:g}" if math.isinf(high) else f"between {low:g} and {high:g}"
        raise NotPossible(f"{name} is {value!r}; it must be {allowed}.")
