"""What pages need to speak several languages."""

from __future__ import annotations

from django import template
from django.conf import settings

from audits.core import failures
from audits.queries import page_words
from audits.queries.page_words import spoken

register = template.Library()
# Each in its own words, for those who read no other.
NAMES = {"en": "English", "fr": "Français", "de": "Deutsch"}

day = register.filter("day", page_words.day, expects_localtime=True)
weekday = register.filter("weekday", page_words.weekday)
said = register.filter("said", page_words.said)
said_within = register.filter("said_within", page_words.said_within)
phase = register.filter("phase", page_words.phase)
retold = register.filter("retold", page_words.retold)
own_words = register.filter("own_words", failures.is_ours)


@register.filter
def failure(code: str) -> str:
    """Return what is said to everybody of a job that failed with a code."""
    return page_words.said(failures.sentence_of(code))


@register.simple_tag
def languages() -> list[tuple[str, str, bool]]:
    """Return the languages as (code, name, whether it is spoken now)."""
    now = spoken()
    return [(code, NAMES[code], code == now) for code, _ in settings.LANGUAGES]
