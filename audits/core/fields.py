"""Kinds of value that a log event may hold. None of them can carry a sentence or a name as typed.

A kind knows its name, its rule in words for the documentation, and whether a JSON value obeys it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

LARGEST = 2**53 - 1  # the largest whole number that every JSON reader keeps (RFC 8785)

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_INSTANT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z")


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One kind of field: ``accepts`` takes a value as JSON gives it."""

    name: str
    rule: str
    accepts: Callable[[object], bool]


def _pattern(name: str, pattern: str, rule: str | None = None) -> Kind:
    regex = re.compile(pattern)

    def accepts(value: object) -> bool:
        return type(value) is str and regex.fullmatch(value) is not None

    return Kind(name=name, rule=rule or f"text that is wholly `{pattern}`", accepts=accepts)


def _whole(name: str, low: int, rule: str) -> Kind:
    def accepts(value: object) -> bool:
        return type(value) is int and low <= value <= LARGEST  # bool is not int here

    return Kind(name=name, rule=rule, accepts=accepts)


def _is_date(value: object) -> bool:
    return type(value) is str and _DATE.fullmatch(value) is not None and _exists(date, value)


def _is_instant(value: object) -> bool:
    return (
        type(value) is str and _INSTANT.fullmatch(value) is not None and _exists(datetime, value)
    )


def _exists(calendar: type[date], text: str) -> bool:
    try:
        calendar.fromisoformat(text)
    except ValueError:
        return False
    return True


_HEX = "[0-9a-f]"
UUID = _pattern(
    "uuid",
    f"{_HEX}{{8}}-{_HEX}{{4}}-{_HEX}{{4}}-{_HEX}{{4}}-{_HEX}{{12}}",
    "a UUID in lower-case hexadecimal with hyphens",
)
SHA256 = _pattern("sha256", f"{_HEX}{{64}}", "a SHA-256 in lower-case hexadecimal")
COMMITMENT = _pattern(
    "commitment", f"{_HEX}{{64}}", "an HMAC-SHA256 under the key of the case, in hexadecimal"
)
SALTED = _pattern(
    "salted",
    f"{_HEX}{{64}}",
    "an HMAC-SHA256 under a salt that is destroyed with what it is about, in hexadecimal",
)
CODE = _pattern("code", "[A-Z][A-Z0-9_]{0,63}")
SLUG = _pattern("slug", "[a-z0-9_]{1,64}")
ACTOR = _pattern(
    "actor",
    f"system|subject|staff:{_HEX}{{8}}-{_HEX}{{4}}-{_HEX}{{4}}-{_HEX}{{4}}-{_HEX}{{12}}",
    "`system`, `subject`, or `staff:` and a UUID",
)
COUNT = _whole("count", 0, "a whole number from 0 to 2^53 - 1")
MILLI = _whole("milli", -LARGEST, "a value times 1000, a whole number that may be negative")
DATE = Kind(name="date", rule="a day that exists, `YYYY-MM-DD`", accepts=_is_date)
INSTANT = Kind(
    name="instant", rule="a moment in UTC, `YYYY-MM-DDThh:mm:ss.sssZ`", accepts=_is_instant
)
BOOL = Kind(name="bool", rule="`true` or `false`", accepts=lambda value: type(value) is bool)


def choice(*codes: str) -> Kind:
    """One of these codes and no other."""
    rule = " or ".join(f"`{code}`" for code in codes)
    return _pattern(" or ".join(codes), "|".join(map(re.escape, codes)), rule)


def list_of(item: Kind) -> Kind:
    """A list, perhaps empty, of values of one kind."""

    def accepts(value: object) -> bool:
        return type(value) is list and all(map(item.accepts, value))

    return Kind(name=f"list of {item.name}", rule=f"a list of {item.name}", accepts=accepts)


def record_of(members: Mapping[str, Kind]) -> Kind:
    """An object with exactly these members."""

    def accepts(value: object) -> bool:
        return (
            type(value) is dict
            and value.keys() == members.keys()
            and all(kind.accepts(value[name]) for name, kind in members.items())
        )

    shape = ", ".join(f"{name}: {kind.name}" for name, kind in members.items())
    return Kind(name=f"{{{shape}}}", rule=f"an object with exactly {shape}", accepts=accepts)
