"""The editions and languages in which a report is written."""

from __future__ import annotations

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
