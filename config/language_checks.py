"""A system check of the language in which organisations are written to."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core import checks

from audits.core.letter_rules import LOCALES


@checks.register()
def notices_have_a_language(**_: Any) -> list[checks.CheckMessage]:  # noqa: ANN401  (Django's signature)
    """Refuse a language in which there are no letters."""
    if settings.EXPUNGE_LANGUAGE in LOCALES:
        return []
    return [
        checks.Error(
            f"EXPUNGE_LANGUAGE is {settings.EXPUNGE_LANGUAGE!r}; allowed are "
            f"{', '.join(LOCALES)}.",
            hint="See docs/letters.md.",
            id="expunge.E061",
        )
    ]
