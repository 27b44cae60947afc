"""Set a letter as a PDF: PDF/A-3a and PDF/UA-1. The same letter gives the same bytes."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import typst
from django.conf import settings

from audits.core.letter_dates import date_words
from audits.core.letter_layout import NO_BREAK
from audits.execution.printable import printable_lines
from audits.queries.letter_routes import postal_address
from audits.queries.letter_texts import phrases
from audits.queries.policy_values import in_force
from audits.services.letter_contents import open_letter

if TYPE_CHECKING:
    from audits.models import Letter
    from audits.services.letter_contents import Written


def letter_pdf(letter: Letter) -> bytes:
    """Return a letter as it is posted: with the address, on the day on which it was written.

    The links that only the person gets stand on it while it waits to be posted, and no longer.

    Raises:
        NotReadable: its text is not kept, or the key of its case is gone.
    """
    written = open_letter(letter.request_id, letter.pk, bytes(letter.content))
    if letter.state != letter.State.TO_POST:
        written = written.without_links(phrases(letter.locale)["hidden"])
    return typeset_letter(
        written,
        reference=letter.request.reference,
        address=postal_address(letter.request),
        locale=letter.locale,
        at=letter.created_at,
    )


def typeset_letter(
    written: Written, *, reference: str, address: str, locale: str, at: datetime
) -> bytes:
    """Return the PDF of a letter; every value in it is set as text, never read as markup."""
    day = at.astimezone(ZoneInfo(settings.EXPUNGE_CLOCK_ZONE)).date()
    view = {
        "subject": _shown(written.subject),
        "paragraphs": [
            {"style": one.style, "text": _shown(one.text)} for one in written.paragraphs
        ],
        "controller": _shown(in_force("CONTROLLER")),
        "reference": reference,
        "address": _shown(address),
        "day": date_words(day, locale),
        "locale": locale,
        "date": [day.year, day.month, day.day],
    }
    template = settings.BASE_DIR / "templates" / "letters" / "letter.typ"
    return typst.compile(
        str(template),
        root=str(template.parent),
        format="pdf",
        pdf_standards=["a-3a", "ua-1"],
        ignore_system_fonts=True,
        timestamp=at.astimezone(UTC).replace(microsecond=0),
        sys_inputs={"view": json.dumps(view)},
    )


def _shown(text: str) -> str:
    return NO_BREAK.join(printable_lines(part) for part in text.split(NO_BREAK))
