"""A made-up case, to show how a text of a letter reads."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from django.conf import settings

from audits.core.letter_dates import date_words
from audits.core.placeholders import fill
from audits.queries.letter_texts import phrases
from audits.queries.policy_values import in_force

if TYPE_CHECKING:
    from audits.core.letter_layout import Values

RECEIVED, DUE, LATER = date(2030, 3, 4), date(2030, 4, 4), date(2030, 6, 4)


def sample_values(locale: str) -> Values:
    """Return a value for every placeholder, of nobody's case."""
    words = phrases(locale)
    received, due, later = (date_words(day, locale) for day in (RECEIVED, DUE, LATER))
    again = fill(words["exact"], {"version": "example v1"})
    gone = fill(words["destroy"], {"version": "example v2"})
    link = f"{settings.SITE_URL}/example/"
    return {
        "reference": "ER-2345-6789",
        "received_on": received,
        "due_on": due,
        "new_due": later,
        "lift_on": later,
        "erased_on": due,
        "until": due,
        "done": (words["deleted"], words["keys_destroyed"]),
        "earlier": "ER-9876-5432",
        "controller": in_force("CONTROLLER"),
        "contact": in_force("CONTACT"),
        "authority": in_force("AUTHORITY"),
        "site": settings.SITE_URL,
        "hours": str(in_force("CONFIRM_HOURS")),
        "checkpoint": "log.example.org\n7\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
        "confirm_url": link,
        "status_url": link,
        "answer_url": link,
        "ack_url": link,
        "asked": words["SEVERAL_PEOPLE"],
        "reason": words["ART_17_3_E"],
        "models": (fill(words["done"], {"sentence": again, "day": due}), gone),
        "places": ("example.org",),
        "exceptions": (fill(words["until"], {"sentence": "…", "day": later}),),
        "recipients": ("…",),
        "backups": (fill(words["overwritten"], {"sentence": "…", "day": later}),),
        "record": "0" * 64,
        "addressee": "Example Ltd",
        "what": ("example dataset", "example v1"),
        "contract": "DPA 2030/7",
        "versions": ("example v1 → example v3",),
    }
