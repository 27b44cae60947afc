"""Refuse numbers that JSON does not have, before they reach a database that keeps none of them."""

from __future__ import annotations

import math
from typing import Any


class NotFinite(ValueError):
    """A report has NaN or an infinite number."""


def check_finite(**fields: object) -> None:
    """Hold values of JSON to finite numbers.

    Python reads the words NaN and Infinity, and 1e999 as infinite; the standard has none of them.

    Raises:
        NotFinite: the sentence names the field; not the name in it, which is the script's.
    """
    for name, value in fields.items():
        left: list[Any] = [value]
        while left:
            one = left.pop()
            if isinstance(one, float) and not math.isfinite(one):
                raise NotFinite(
                    f"{name} has the number {one}; allowed are finite numbers. Leave it out, or "
                    f'write it as the text "{one}".'
                )
            if isinstance(one, dict):
                left += one.values()
            elif isinstance(one, list):
                left += one
