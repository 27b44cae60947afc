"""What is kept of a person's data under Art. 17(3), as a sealed record says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from audits.execution.report_speech import day, say, short_day
from audits.queries.letter_texts import phrases

if TYPE_CHECKING:
    from collections.abc import Mapping

UNNAMED = "data outside the registers"


@dataclass(frozen=True, kw_only=True)
class Kept:
    """One exception in force: what it keeps, by a name of the record, its code and last day."""

    what: str
    code: str
    until: str

    def in_short(self) -> str:
        """Return it for a table: with the code, and the day in figures."""
        return say(
            "%(what)s (%(code)s, until %(day)s)",
            what=self.what,
            code=self.code,
            day=short_day(self.until),
        )

    def for_the_person(self, language: str) -> str:
        """Return it as two plain sentences."""
        said = say(
            "What we keep of your data until %(day)s: %(what)s. It is restricted: we store it and "
            "use it for nothing else.",
            what=self.what,
            day=day(self.until),
        )
        return f"{said} {phrases(language)[self.code]}"


def kept_of(findings: Mapping[str, Any]) -> list[Kept]:
    """Return what a case kept when it was sealed; records of earlier releases say nothing."""
    rows = findings.get("answers", {}).get("exceptions", ())
    if not isinstance(rows, list):  # why there is none
        return []
    return [
        Kept(what=_what(row, findings), code=row["code"], until=row["until"])
        for row in rows
        if row["ended_at"] is None
    ]


def _what(row: Mapping[str, Any], findings: Mapping[str, Any]) -> str:
    named = findings.get("excepted_names", {}).get(row["exception"]) or row["dataset"]
    if named:
        return say("the data set %(name)s", name=named)
    places = findings.get("places", {}).get("locations", ())
    found = next((one["slug"] for one in places if one["location"] == row["location"]), "")
    return say("the place %(name)s", name=found) if found else say(UNNAMED)
