"""The sentences of modules without Django, in the language of the page."""

from __future__ import annotations

from django.utils.translation import gettext


def told(words: str, /, **values: object) -> str:
    """Return a sentence as the catalogue of the page says it, ``%(name)s`` filled in."""
    found = gettext(words) if words else ""
    return found % values if values else found
