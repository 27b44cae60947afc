"""Dates as a letter in a language writes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import date

MONTHS = {
    "en": "January February March April May June July August September October November December",
    "fr": "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
    "de": "Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
}


def date_words(day: date, locale: str) -> str:
    """Return a date as "1 March 2026", "1er mars 2026" or "1. März 2026"."""
    month = MONTHS[locale].split()[day.month - 1]
    if locale == "fr":
        return f"{'1er' if day.day == 1 else day.day} {month} {day.year}"
    return f"{day.day}{'.' if locale == 'de' else ''} {month} {day.year}"
