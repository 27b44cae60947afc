"""What an answer of a record is made of: kinds of values beside those of events, and sections."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from audits.core.fields import Kind

if TYPE_CHECKING:
    from collections.abc import Mapping

LONGEST = 200


@dataclass(frozen=True, kw_only=True)
class Section:
    """One member of the answers: what it is, whether it is a list, and its own members."""

    words: str
    many: bool
    members: Mapping[str, Kind]


def maybe(kind: Kind) -> Kind:
    """Return the kind that also allows null."""
    return Kind(
        name=f"{kind.name} or null",
        rule=f"{kind.rule}, or `null`",
        accepts=lambda value: value is None or kind.accepts(value),
    )


def _is_number(value: object) -> bool:
    return type(value) in (int, float) and math.isfinite(value)  # type: ignore[arg-type]


def _is_name(value: object) -> bool:
    return type(value) is str and 0 < len(value) <= LONGEST and value.isprintable()


NUMBER = Kind(name="number", rule="a finite number", accepts=_is_number)
NAME = Kind(
    name="name",
    rule=f"1 to {LONGEST} printable characters that the operator set for the installation",
    accepts=_is_name,
)
DIGITS = Kind(
    name="digits",
    rule="a whole number in decimal, as text",
    accepts=lambda value: type(value) is str and value.isascii() and value.isdecimal(),
)
