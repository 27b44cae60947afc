"""What pages need to speak several languages."""

from __future__ import annotations

from django import template
from django.conf import settings

from audits.queries import page_words
from audits.queries.page_words import spoken

register = template.Library()
# Each in its own words, for those who read no other.
NAMES = {"en": "English", "fr": "Français", "de": "Deutsch"}

day = register.filter("day", page_words.day, expects_localtime=True)
weekday = register.filter("weekday", page_words.weekday)
said = register.filter("said", page_words.said)
said_within = register.filter("said_within", page_words.said_within)


@register.simple_tag
def languages() -> list[tuple[str, str, bool]]:
    """Return the languages as (code, name, whether it is spoken now)."""
    now = spoken()
    return [(code, NAMES[code], code == now) for code, _ in settings.LANGUAGES]
