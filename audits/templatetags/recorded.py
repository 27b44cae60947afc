"""Stored sentences on a page: told where the software knows them, else quoted as English."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django import template
from django.utils.html import format_html
from django.utils.translation import gettext

from audits.core.attack_register import attack_titles
from audits.execution.report_retold import retold
from audits.execution.report_speech import language
from audits.queries.letter_texts import FALLBACK

if TYPE_CHECKING:
    from django.utils.safestring import SafeString

register = template.Library()
# What a page says itself in the place of a stored text.
OWN = ("not computed",)


@register.filter
def recorded(stored: object) -> SafeString | str:
    """Return stored English, a sentence or several, as a reader of this page reads it.

    An attack that it names by its code gets its title. A text of which nobody told all in the
    language of the page is marked as English, so that a screen reader reads it as such.
    """
    text = str(stored)
    titles = attack_titles()
    if text in map(gettext, OWN):
        return text
    if text in titles.values():
        return gettext(text)
    code, colon, rest = text.partition(": ")
    title = gettext(titles[code]) if colon and code in titles else ""
    begins, said = (f"{title}: ", rest) if title else ("", text)
    if language() == FALLBACK:
        return f"{begins}{said}"
    if found := retold(said, str):
        return f"{begins}{found}"
    return format_html('<span lang="en">{}{}</span>', begins, said)
