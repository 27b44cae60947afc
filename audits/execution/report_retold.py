"""What a sealed record says in English sentences, told in the language of a report.

A record is signed, so its sentences stay as they are. Those that the software knows word for
word, but for counts and names, are told in the other languages; a text in which any other stands
is quoted whole, and marked as English, so that a screen reader reads it as such.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any

from audits.core.attack_register import attack_titles
from audits.core.estimates import Level
from audits.execution.report_reasons import REASONS
from audits.execution.report_speech import decimal, language, say
from audits.queries import limit_sentences
from audits.queries.letter_texts import FALLBACK

if TYPE_CHECKING:
    from collections.abc import Callable

_PLACE = re.compile(r"\{(\w+)\}")
# Any letter may follow: many names of models, which begin sentences, are in lower case.
_ENDS = re.compile(r"(?<=[.!?])\s+")
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?%?")
_LEVELS = frozenset(level.words for level in Level)


def known_sentences() -> tuple[str, ...]:
    """Return the sentences of a record that can be told, with ``{name}`` for what varies."""
    found = [value for name, value in vars(limit_sentences).items() if name.isupper()]
    texts = [value for value in found if isinstance(value, str) and " " in value]
    several = [tuple(one.values()) if isinstance(one, dict) else one for one in found]
    lists = [one for value in several if isinstance(value, tuple) for one in value]
    return tuple(dict.fromkeys([*texts, *lists, *REASONS]))


def retold(text: str, written: Callable[[str], str] = decimal) -> str | None:
    """Return what a record says in the language that is spoken; None if any of it is unknown.

    ``text`` is one sentence or several, as the reasons of a gate are joined. ``written`` writes
    its numbers: a page keeps the point of its figures.
    """
    left, told = _ENDS.split(text), list[str]()
    while left:
        # The longest first: several sentences may be known as one.
        for size in (one for one in _patterns() if one <= len(left)):
            if found := _known(" ".join(left[:size]), size, written):
                told.append(found)
                del left[:size]
                break
        else:
            return None
    return " ".join(told)


def quoted(text: str) -> Any:  # noqa: ANN401  (a cell of a table: text, or marked text)
    """Return a recorded text as it is shown: told, or as ``{"en": text}``."""
    if language() == FALLBACK or not text:
        return text
    return retold(text) or {"en": text}


def _known(said: str, size: int, written: Callable[[str], str]) -> str | None:
    code, colon, rest = said.partition(": ")
    if colon and code in attack_titles():  # the reasons of several attacks begin with their names
        told = _known(rest, size, written)
        return told and f"{code}: {told}"
    for template, pattern in _patterns()[size]:
        if match := pattern.fullmatch(said):
            words = say(template)
            return None if words == template else _filled(words, match.groupdict(), written)
    return None


def _filled(said: str, values: dict[str, str], written: Callable[[str], str]) -> str:
    return _PLACE.sub(lambda place: _value(values[place[1]], written), said)


def _value(text: str, written: Callable[[str], str]) -> str:
    """Return what varies in a sentence: a level and a number are told, a name stays."""
    if text.lower() in _LEVELS:
        told = say(text.lower())
        return told[:1].upper() + told[1:]
    return written(text) if _NUMBER.fullmatch(text) else text


@cache
def _patterns() -> dict[int, list[tuple[str, re.Pattern[str]]]]:
    """Return what is known as patterns, by how many sentences each is, the most first.

    Only a text of as many sentences is held against one, so that what varies in it never reaches
    into the next sentence. Of as many, the one that fixes most words is tried first.
    """
    fixed = sorted(known_sentences(), key=lambda one: -len(_PLACE.sub("", one)))
    by_size: dict[int, list[tuple[str, re.Pattern[str]]]] = {}
    for one in sorted(fixed, key=_size, reverse=True):
        by_size.setdefault(_size(one), []).append((one, re.compile(_pattern(one), re.DOTALL)))
    return by_size


def _size(text: str) -> int:
    return len(_ENDS.split(text))


def _pattern(template: str) -> str:
    parts = _PLACE.split(template)
    return "".join(
        f"(?P<{part}>.+?)" if place % 2 else re.escape(part) for place, part in enumerate(parts)
    )
