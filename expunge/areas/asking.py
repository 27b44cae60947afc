"""What every area is made on: the calls, and how a value becomes a part of an address."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from expunge.calls import Calls


class NoSuchName(ValueError):
    """A text that is no reference and no identifier of anything."""


class Area:
    """Something that asks by calls."""

    _calls: Calls


def part(value: str) -> str:
    """Return a value as one part of an address, whatever is in it. Raises NoSuchName."""
    if value in {"", ".", ".."}:
        raise NoSuchName(f"{value!r} is no name of anything: a reference or identifier is needed.")
    return quote(value, safe="")


def given(**query: str) -> dict[str, str]:
    """Return what is not empty."""
    return {name: value for name, value in query.items() if value}
