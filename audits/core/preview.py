"""What a record holds, made ready to be looked at: a picture, the values of a row, or a text."""

from __future__ import annotations

import json
from dataclasses import dataclass

VALUES = 40  # of a row
LETTERS = 200  # of a value
TEXT = 2000  # letters of a text


@dataclass(frozen=True, kw_only=True)
class Shown:
    """A record as staff see it; one of the four says something.

    * ``picture``: it is one, which is served by itself;
    * ``values``: name and value of each column of a row;
    * ``text``: its text, or the start of it;
    * ``note``: why nothing is shown.
    """

    picture: bool = False
    values: tuple[tuple[str, str], ...] = ()
    text: str = ""
    note: str = ""


def shown(content: bytes, media_type: str) -> Shown:
    """Return what can be shown of a record's content."""
    if media_type.startswith("image/"):
        return Shown(picture=True)
    try:
        text = content.decode()
    except UnicodeDecodeError:
        return Shown(note=f"{len(content)} bytes of {media_type or 'an unknown type'}")
    if row := _row(text):
        return Shown(values=row)
    if not text.isprintable() and not media_type.startswith("text/"):
        return Shown(note=f"{len(content)} bytes of {media_type or 'an unknown type'}")
    return Shown(text=_short(text, TEXT)) if text else Shown(note="Empty")


def _row(text: str) -> tuple[tuple[str, str], ...]:
    try:
        row = json.loads(text)
    except (ValueError, RecursionError):
        return ()
    if not isinstance(row, dict):
        return ()
    told = [(_short(name, LETTERS), _value(value)) for name, value in list(row.items())[:VALUES]]
    more = len(row) - len(told)
    return (*told, *([("…", f"{more} more")] if more else []))


def _value(value: object) -> str:
    return _short(value if isinstance(value, str) else json.dumps(value), LETTERS)


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
