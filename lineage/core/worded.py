"""English sentences that remember of what they were made.

Services refuse in English, which machines, commands and logs get. A page tells the same sentence
in the language of its reader, so whoever builds it keeps the words and the values apart: a
``Worded`` is that text, and a ``str`` for all who want no more. ``tests.words`` finds the calls.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date

THE_FIELD = "It "


class Worded(str):
    """A sentence: ``words`` with ``%(name)s`` where ``values`` stand.

    ``field`` is what the sentence is about where it begins with the name of a field; ``words``
    then begin with "It", as beside the label of that field.
    """

    __slots__ = ("field", "values", "words")
    words: str
    values: Mapping[str, str]
    field: str

    def __str__(self) -> str:
        """Return the sentence itself, so that ``str(error)`` forgets nothing."""
        return self


class Day(str):
    """A day in English words, ``on``."""

    __slots__ = ("on",)
    on: date


def long_day(on: date) -> Day:
    """Return a day that is told in the language of the sentence."""
    made = Day(f"{on:%-d %B %Y}")
    made.on = on
    return made


def worded(words: str, /, **values: object) -> Worded:
    """Return a sentence that others can tell in another language; without values as it is.

    A value that is ``Worded`` itself, or a ``Day``, is told, too.
    """
    return _made(words, words, "", values)


def worded_of(field: str, words: str, /, **values: object) -> Worded:
    """Return a sentence about a field: in English its name stands for the first word, "It"."""
    return _made(words, f"{field} {words.removeprefix(THE_FIELD)}", field, values)


def not_among(field: str, value: object, allowed: str | Iterable[str]) -> Worded:
    """Return that a field holds none of the codes that are allowed."""
    codes = allowed if isinstance(allowed, str) else ", ".join(allowed)
    return worded_of(
        field, "It is %(value)s; allowed are %(allowed)s.", value=repr(value), allowed=codes
    )


def _made(words: str, english: str, field: str, values: Mapping[str, object]) -> Worded:
    told = {
        name: one if isinstance(one, Worded | Day) else str(one) for name, one in values.items()
    }
    made = Worded(english % told if told else english)
    made.words, made.field, made.values = words, field, told
    return made
