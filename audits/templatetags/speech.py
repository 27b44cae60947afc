"""What the public pages need to speak several languages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django import template
from django.conf import settings
from django.utils.dates import WEEKDAYS
from django.utils.translation import get_language, gettext

from audits.core.letter_dates import MONTHS, date_words

if TYPE_CHECKING:
    from datetime import date

register = template.Library()
# Each in its own words, for those who read no other.
NAMES = {"en": "English", "fr": "Français", "de": "Deutsch"}


@register.filter
def day(value: date) -> str:
    """Return a date in words, as the letters write it."""
    return date_words(value, spoken())


@register.filter
def weekday(value: date) -> str:
    """Return a date in words with its day of the week."""
    comma = "," if spoken() == "de" else ""
    return f"{WEEKDAYS[value.weekday()]}{comma} {day(value)}"


@register.filter
def said(value: object) -> str:
    """Return a constant English text in the language of the page; nothing for what is empty."""
    return gettext(str(value)) if value else ""


@register.simple_tag
def languages() -> list[tuple[str, str, bool]]:
    """Return the languages as (code, name, whether it is spoken now)."""
    now = spoken()
    return [(code, NAMES[code], code == now) for code, _ in settings.LANGUAGES]


def spoken() -> str:
    """Return the code of the language of this page, one that letters have."""
    code = (get_language() or settings.LANGUAGE_CODE).partition("-")[0]
    return code if code in MONTHS else settings.LANGUAGE_CODE
