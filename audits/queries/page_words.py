"""Words, days and lengths of time in the language of the page, for views and for templates."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.utils.dates import WEEKDAYS
from django.utils.translation import get_language, gettext

from audits.core.letter_dates import MONTHS, date_words

if TYPE_CHECKING:
    from datetime import date

LEAST = 0.1


def spoken() -> str:
    """Return the code of the language of this page, one that letters have."""
    code = (get_language() or settings.LANGUAGE_CODE).partition("-")[0]
    return code if code in MONTHS else settings.LANGUAGE_CODE


def said(value: object) -> str:
    """Return a constant English text in the language of the page; nothing for what is empty."""
    return gettext(str(value)) if value else ""


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
