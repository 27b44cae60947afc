"""The editions and languages in which a report is written."""

from __future__ import annotations

import calendar
from datetime import date, timedelta
from enum import StrEnum


class Edition(StrEnum):
    """Whom a report is for."""

    REGULATOR = "REGULATOR"
    PERSON = "PERSON"
    PUBLIC = "PUBLIC"

    @property
    def slug(self) -> str:
        """Return the word for addresses, options and names of files."""
        return self.value.lower()


LANGUAGES = ("en", "fr", "de")
OF_A_CASE = (Edition.REGULATOR, Edition.PERSON)


def file_name(edition: Edition, language: str) -> str:
    """Return the name of the file of an edition, such as ``report.person.fr.pdf``."""
    return f"report.{edition.slug}.{language}.pdf"


def check_period(since: date, until: date, *, today: date | None = None) -> None:
    """Raise ValueError unless a period is a whole calendar month, quarter or year that is over.

    Two free periods that differ by a day would tell of the cases of that day.

    Args:
        since: the first day.
        until: the last day.
        today: by when the period must be over; not looked at where it is None.
    """
    if until != _end_of_period(since, until):
        raise ValueError(
            f"The period is {since} to {until}; allowed are whole calendar months, quarters and "
            f"years, such as {since:%Y}-01-01 to {since:%Y}-03-31."
        )
    if today is not None and until >= today:
        raise ValueError(
            f"The period ends on {until} and is not over on {today}; the public edition is "
            f"written from {until + timedelta(days=1)} on."
        )


def _end_of_period(since: date, until: date) -> date | None:
    """Return the end of the period that starts on a day and is as long as asked for."""
    months = (until.year - since.year) * 12 + until.month - since.month + 1
    if since.day != 1 or months not in (1, 3, 12) or (since.month - 1) % months:
        return None
    return until.replace(day=calendar.monthrange(until.year, until.month)[1])
