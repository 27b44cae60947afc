"""Kinds of value that a policy may hold: how one is read from text, written back, and refused."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

V = TypeVar("V")
LONGEST = 300  # characters of a line
_OUTCOME = re.compile(r"([A-Z][A-Z_]*)\s*:\s*([0-9]{1,6})")
YES, NO = "yes", "no"


@dataclass(frozen=True, kw_only=True)
class ValueKind:
    """``read`` turns text into a JSON value or raises ValueError; ``rule`` says what it takes."""

    rule: str
    read: Callable[[str], Any]
    choices: tuple[str, ...] = ()

    def write(self, value: object) -> str:
        """Return the text from which ``read`` makes this value."""
        if isinstance(value, bool):
            return YES if value else NO
        if isinstance(value, dict):
            return ", ".join(f"{name}: {value[name]}" for name in sorted(value))
        if isinstance(value, (list, tuple)):
            return ", ".join(map(str, value))
        return f"{value:.15g}" if isinstance(value, float) else str(value)


def between(low: float, high: float) -> ValueKind:
    """A number strictly between two others."""

    def read(text: str) -> float:
        value = float(text)
        return _ok(value, low < value < high)

    return ValueKind(rule=f"a number above {low:g} and below {high:g}", read=read)


def number(low: float, high: float) -> ValueKind:
    """A number from one to another."""

    def read(text: str) -> float:
        value = float(text)
        return _ok(value, math.isfinite(value) and low <= value <= high)

    return ValueKind(rule=f"a number from {low:g} to {high:g}", read=read)


def whole(low: int, high: int) -> ValueKind:
    """A whole number from one to another."""

    def read(text: str) -> int:
        value = int(text)
        return _ok(value, low <= value <= high)

    return ValueKind(rule=f"a whole number from {low} to {high}", read=read)


def wholes(low: int, high: int) -> ValueKind:
    """Whole numbers, separated by commas."""
    one = whole(low, high)

    def read(text: str) -> list[int]:
        return [one.read(part) for part in text.split(",")]

    return ValueKind(rule=f"whole numbers from {low} to {high}, separated by commas", read=read)


def one_of(*allowed: str) -> ValueKind:
    """One of these words."""

    def read(text: str) -> str:
        return _ok(text, text in allowed)

    told = " or ".join(word or "nothing" for word in allowed)
    return ValueKind(rule=f"one of: {told}", read=read, choices=allowed)


def flag() -> ValueKind:
    """Yes or no."""

    def read(text: str) -> bool:
        return _ok(text == YES, text in (YES, NO))

    return ValueKind(rule=f"{YES} or {NO}", read=read, choices=(YES, NO))


def line(*, empty: bool = False) -> ValueKind:
    """One line of text."""

    def read(text: str) -> str:
        plain = text.isprintable() and len(text) <= LONGEST
        return _ok(text, plain and (empty or bool(text)))

    told = f"one line of at most {LONGEST} characters"
    return ValueKind(rule=f"{told}, or nothing" if empty else told, read=read)


def pattern(wanted: str, rule: str) -> ValueKind:
    """Text that a regular expression describes wholly."""
    regex = re.compile(wanted)

    def read(text: str) -> str:
        return _ok(text, regex.fullmatch(text) is not None)

    return ValueKind(rule=rule, read=read)


def dates() -> ValueKind:
    """Days, separated by commas; perhaps none."""

    def read(text: str) -> list[str]:
        parts = [part.strip() for part in text.split(",") if part.strip()]
        return [_ok(part, date.fromisoformat(part).isoformat() == part) for part in parts]

    return ValueKind(rule="days such as 2027-12-24, separated by commas, or nothing", read=read)


def days_by_outcome(outcomes: tuple[str, ...], low: int, high: int) -> ValueKind:
    """Days of some outcomes, such as ``ERASED: 400``, separated by commas; perhaps none."""

    def read(text: str) -> dict[str, int]:
        found: dict[str, int] = {}
        for part in filter(None, map(str.strip, text.split(","))):
            said = _OUTCOME.fullmatch(part)
            if said is None or said[1] not in outcomes or said[1] in found:
                raise ValueError(part)
            found[said[1]] = _ok(int(said[2]), low <= int(said[2]) <= high)
        return found

    told = f"OUTCOME: days, separated by commas, {low} to {high} days each; outcomes are "
    return ValueKind(rule=f"{told}{', '.join(outcomes)}", read=read)


def _ok(value: V, fits: bool) -> V:  # noqa: FBT001  (a condition)
    if not fits:
        raise ValueError(value)
    return value
