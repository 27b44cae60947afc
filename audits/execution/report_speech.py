"""In which language a report speaks: its sentences, dates and numbers.

The language is the one that Django speaks at the time (``translation.override``). The sentences
have a catalogue of their own, ``locale/*/LC_MESSAGES/report.po``: the pages of the site load
none of it. What a sealed record holds as an English sentence is not in it word for word: see
``report_retold``.
"""

from __future__ import annotations

import gettext
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import date, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils.translation import get_language

from audits.core.letter_dates import date_words
from audits.queries.letter_texts import FALLBACK, known_locale

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from gettext import NullTranslations

DOMAIN = "report"
_ZONE: ContextVar[str] = ContextVar("zone of the days of a report", default="")
_DAYS = {"en": "%Y-%m-%d", "fr": "%d/%m/%Y", "de": "%d.%m.%Y"}


def language() -> str:
    """Return the language that is spoken: one that reports are written in."""
    return known_locale(get_language() or FALLBACK)


def say(words: str, **values: object) -> str:
    """Return a sentence in the language that is spoken, ``%(name)s`` filled in.

    A sentence that has no translation is said in English. Values are text that nothing reads.
    """
    said = _catalogue(language()).gettext(words) if words else ""
    return said % values if values else said


def counted(count: int, one: str, many: str, **values: object) -> str:
    """Return the sentence for this count, which it names ``%(n)s``."""
    single = count == 1 or (count == 0 and language() == "fr")
    return say(one if single else many, n=count, **values)


@cache
def _catalogue(spoken: str) -> NullTranslations:
    folder = str(settings.BASE_DIR / "locale")
    return gettext.translation(DOMAIN, folder, languages=[spoken], fallback=spoken == FALLBACK)


def inside(text: str) -> str:
    """Return words for the middle of a sentence: German nouns keep their capital."""
    plain = language() != "de" and text[1:].islower()
    return text[:1].lower() + text[1:] if plain else text


def moment(text: str | None) -> str:
    """Return an event's instant for reading, to the second."""
    if not text:
        return say("not recorded")
    return f"{_figures(date.fromisoformat(text[:10]))} {text[11:19]} UTC"


@contextmanager
def in_zone(findings: Mapping[str, Any]) -> Iterator[None]:
    """Tell days where the legal clock of a case ran; a record without one, as the settings say."""
    token = _ZONE.set(zone_of(findings))
    try:
        yield
    finally:
        _ZONE.reset(token)


def zone_of(findings: Mapping[str, Any]) -> str:
    """Return the zone in which the days of a case were counted."""
    return str((findings.get("clock") or {}).get("zone") or settings.EXPUNGE_CLOCK_ZONE)


def local_day(text: str, zone: str = "") -> date:
    """Return an ISO date as it is, or the day that an instant lies in, in a zone."""
    if len(text) <= len("2026-12-31"):
        return date.fromisoformat(text)
    zone = zone or _ZONE.get() or settings.EXPUNGE_CLOCK_ZONE
    return datetime.fromisoformat(text).astimezone(ZoneInfo(zone)).date()


def short_day(text: str | None) -> str:
    """Return an ISO date, or the local day of an instant, in figures."""
    return _figures(local_day(text)) if text else ""


def _figures(found: date) -> str:
    return found.strftime(_DAYS[language()])


def day(value: str | date | None) -> str:
    """Return a date, or the local day of an ISO instant, in words."""
    if not value:
        return say("not recorded")
    found = local_day(value) if isinstance(value, str) else value
    return date_words(found, language())


def decimal(text: str) -> str:
    """Return a number that was written in English with the decimal sign of the language."""
    return text if language() == FALLBACK else text.replace(".", ",")


def number(value: object, digits: int = 3) -> str:
    """Return a measured number, or words where there is none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return say("not measured")
    return decimal(f"{value:.{digits}f}")


def seconds(value: object) -> str:
    """Return a duration in seconds."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return say("not measured")
    return f"{number(value, 1)} s"


def waited(earlier: str, later: str) -> str:
    """Return the time between two instants in its two largest units."""
    return spell(datetime.fromisoformat(later) - datetime.fromisoformat(earlier))


def spell(span: timedelta) -> str:
    """Return a time span such as ``3 d 4 h`` or ``12 s``."""
    left = max(0, round(span.total_seconds()))
    parts = []
    for size, unit in ((86400, say("d")), (3600, "h"), (60, "min"), (1, "s")):
        count, left = divmod(left, size)
        if count:
            parts.append(f"{count} {unit}")
    return " ".join(parts[:2]) or say("less than 1 s")
