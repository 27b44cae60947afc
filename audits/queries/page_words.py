"""Words, days and lengths of time in the language of the page, for views and for templates."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.utils.dates import WEEKDAYS
from django.utils.translation import get_language, gettext

from audits.core.foreseen import foreseen
from audits.core.letter_dates import MONTHS, date_words
from audits.models import ErasureRequest
from lineage.core.worded import Day, Worded

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import date

LEAST = 0.1
_LABELS = {status.value: status.label for status in ErasureRequest.Status}


def spoken() -> str:
    """Return the code of the language of this page, one that letters have."""
    code = (get_language() or settings.LANGUAGE_CODE).partition("-")[0]
    return code if code in MONTHS else settings.LANGUAGE_CODE


def said(value: object) -> str:
    """Return a constant English text in the language of the page; nothing for what is empty."""
    return gettext(str(value)) if value else ""


def retold(value: object, named: Callable[[str], str] = str) -> str:
    """Return an English sentence with values in the language of the page; an unknown one as it is.

    ``named`` tells a value, as that of a way to unlearn. ``value`` may be an error that holds the
    sentence; one that remembers of what it was made (``Worded``) is told in any case.
    """
    text = str(value or "")
    if isinstance(text, Worded):
        return _remade(text)
    found = foreseen(text)
    if found is None:
        return text
    sentence, values = found
    return gettext(sentence) % {
        name: LISTS[name](one) if name in LISTS else named(one) for name, one in values.items()
    }


def beside_label(sentence: Worded) -> str:
    """Return a sentence about a field as it stands beside the label of that field."""
    told = gettext(sentence.words)
    values = {name: _value(name, one) for name, one in sentence.values.items()}
    return told % values if values else told


def _remade(sentence: Worded) -> str:
    told = beside_label(sentence)
    if not sentence.field:
        return told
    # English keeps the name of the field as the subject of the sentence.
    return sentence if spoken() == "en" else f"{_value('', sentence.field)}: {told}"


def _value(name: str, value: str) -> str:
    if isinstance(value, Worded):
        return _remade(value)
    if isinstance(value, Day):
        return day(value.on)
    return LISTS[name](value) if name in LISTS else value


def phase(value: object) -> str:
    """Return what a job is at in the language of the page, with what it says of the rest of it."""
    text = str(value or "")
    begun, comma, left = text.rpartition(", ")
    if comma and foreseen(left):
        return f"{phase(begun)}, {retold(left)}"
    method, colon, version = text.partition(": ")
    if colon and not foreseen(text):
        return f"{said(method)}: {version}"
    told = retold(text)
    return said(text) if told == text else told


def _roles(text: str) -> str:
    return gettext(" or ").join(map(said, text.split(" or ")))


def _states(text: str) -> str:
    return ", ".join(map(_state, text.split(", ")))


def _state(text: str) -> str:
    """Return the name of a state; by its code, or by its label in lower case."""
    small = text.lower()
    if (told := said(small)) != small:
        return told
    if spoken() == "en" and "_" not in small:
        return small
    return said_within(_LABELS.get(text) or small.capitalize())


def _either(text: str) -> str:
    return gettext(" or ").join(map(_state, text.split(" or ")))


LISTS: Mapping[str, Callable[[str], str]] = {
    "roles": _roles,
    "states": _states,
    "either": _either,
    "state": _state,
    "next": _state,
}


def said_within(value: object) -> str:
    """Return it as it stands within a sentence: small, but in German, where nouns are not."""
    words = said(value)
    return words if spoken() == "de" else words[:1].lower() + words[1:]


def day(value: date) -> str:
    """Return a date in words, as the letters write it."""
    return date_words(value, spoken())


def weekday(value: date) -> str:
    """Return a date in words with its day of the week."""
    comma = "," if spoken() == "de" else ""
    return f"{WEEKDAYS[value.weekday()]}{comma} {day(value)}"


def duration(seconds: float) -> str:
    """Return a length of time as people say it."""
    if seconds >= 2 * 86400:
        return gettext("%(count)s days") % {"count": f"{seconds / 86400:.1f}"}
    if seconds >= 2 * 3600:
        return gettext("%(count)s hours") % {"count": f"{seconds / 3600:.1f}"}
    if seconds >= 2 * 60:
        return gettext("%(count)s minutes") % {"count": f"{seconds / 60:.1f}"}
    if 0 < seconds < LEAST:
        return gettext("less than %(count)s seconds") % {"count": f"{LEAST}"}
    if not seconds:
        return gettext("no time")
    return gettext("%(count)s seconds") % {"count": f"{seconds:.1f}"}
