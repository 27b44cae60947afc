"""What a sealed record says in English sentences, told in the language of a report.

A record is signed, so its sentences stay as they are. Those that the software knows word for
word, but for counts and names, are told in the other languages; any other is quoted, and marked
as English, so that a screen reader reads it as such.
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
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?%?")
_LEVELS = frozenset(level.words for level in Level)


def known_sentences() -> tuple[str, ...]:
    """Return the sentences of a record that can be told, with ``{name}`` for what varies."""
    found = [value for name, value in vars(limit_sentences).items() if name.isupper()]
    texts = [value for value in found if isinstance(value, str) and " " in value]
    several = [tuple(one.values()) if isinstance(one, dict) else one for one in found]
    lists = [one for value in several if isinstance(value, tuple) for one in value]
    return tuple(dict.fromkeys([*texts, *lists, *REASONS]))


def retold(sentence: str, written: Callable[[str], str] = decimal) -> str | None:
    """Return a sentence of a record in the language that is spoken; None where it is unknown.

    ``written`` writes its numbers: a page keeps the point of its figures.
    """
    code, colon, rest = sentence.partition(": ")
    if colon and code in attack_titles():  # the reasons of several attacks begin with their names
        told = retold(rest, written)
        return told and f"{code}: {told}"
    for template, pattern in _patterns():
        if match := pattern.fullmatch(sentence):
            said = say(template)
            return None if said == template else _filled(said, match.groupdict(), written)
    return None


def quoted(sentence: str) -> Any:  # noqa: ANN401  (a cell of a table: text, or marked text)
    """Return a recorded sentence as it is shown: told, or as ``{"en": sentence}``."""
    if language() == FALLBACK or not sentence:
        return sentence
    return retold(sentence) or {"en": sentence}


def _filled(said: str, values: dict[str, str], written: Callable[[str], str]) -> str:
    return _PLACE.sub(lambda place: _value(values[place[1]], written), said)


def _value(text: str, written: Callable[[str], str]) -> str:
    """Return what varies in a sentence: a level and a number are told, a name stays."""
    if text.lower() in _LEVELS:
        told = say(text.lower())
        return told[:1].upper() + told[1:]
    return written(text) if _NUMBER.fullmatch(text) else text


@cache
def _patterns() -> tuple[tuple[str, re.Pattern[str]], ...]:
    """Return the sentences as patterns; the one that fixes most words is tried first."""
    fixed = sorted(known_sentences(), key=lambda one: -len(_PLACE.sub("", one)))
    return tuple((one, re.compile(_pattern(one), re.DOTALL)) for one in fixed)


def _pattern(template: str) -> str:
    parts = _PLACE.split(template)
    return "".join(
        f"(?P<{part}>.+?)" if place % 2 else re.escape(part) for place, part in enumerate(parts)
    )
