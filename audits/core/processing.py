"""The record of processing activities (Art. 30(1)) as values, and as JSON, CSV and Markdown.

``said`` is what staff wrote, ``known`` what the platform knows by itself. A field that has neither
is a gap; nothing is made up for it. ``docs/registers.md`` describes it.
"""

from __future__ import annotations

import csv
import io
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from audits.core.processing_words import WORDS
from lineage.core.plain_cell import plain_cell

if TYPE_CHECKING:
    from collections.abc import Mapping

FORMAT = "expunge-processing/1"
# The fields of an activity with what asks for each.
FIELDS: Mapping[str, str] = {
    "purposes": "Art. 30(1)(b)",
    "basis": "Art. 6(1)",
    "subjects": "Art. 30(1)(c)",
    "data": "Art. 30(1)(c)",
    "recipients": "Art. 30(1)(d)",
    "transfers": "Art. 30(1)(e)",
    "retention": "Art. 30(1)(f)",
    "measures": "Art. 30(1)(g)",
}
CONTACTS = ("controller", "joint", "representative", "dpo")
CONTACTS_ARTICLE = "Art. 30(1)(a)"
REQUESTS = "requests"  # the processing that is this platform's own
# What the platform knows of these does not say what is asked, but for its own processing.
SAID_ONLY = {"data", "subjects", "transfers", "basis"}


@dataclass(frozen=True, kw_only=True)
class Told:
    """A field: what staff wrote, and what the platform knows by itself, a fact a line."""

    said: str = ""
    known: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """Return both."""
        return "; ".join(part for part in (self.said, *self.known) if part)


@dataclass(frozen=True, kw_only=True)
class Activity:
    """One processing activity.

    Attributes:
        key: ``dataset:NAMESPACE/NAME``, ``place:SLUG`` or ``requests``.
        id: of the data set or the place; of requests the nil UUID.
        title: what people call it.
        number: which description by staff it is; 0 is none.
        fields: by the names of ``FIELDS``.
        models: the versions that learned from it, as ``MODEL vN, state, day, recipe``.
    """

    key: str
    id: str
    title: str
    number: int
    fields: Mapping[str, Told]
    models: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Gap:
    """What is missing, of which activity (empty: of the controller), and what to do."""

    activity: str
    field: str
    article: str
    todo: str


@dataclass(frozen=True, kw_only=True)
class ProcessingRecord:
    """The whole record; ``contacts`` by the names of ``CONTACTS``, "none" where there is none."""

    language: str
    made_at: str
    contacts: Mapping[str, str]
    activities: tuple[Activity, ...] = field(default=())

    def gaps(self) -> tuple[Gap, ...]:
        """Return every field that nobody filled."""
        words = WORDS[self.language]
        missing = (
            Gap(activity="", field=name, article=CONTACTS_ARTICLE, todo=words[f"set_{name}"])
            for name in CONTACTS
            if not self.contacts[name]
        )
        return (*missing, *(gap for one in self.activities for gap in self._gaps_of(one)))

    def _gaps_of(self, activity: Activity) -> list[Gap]:
        todo = WORDS[self.language]["todo"].format(activity=activity.key)
        return [
            Gap(activity=activity.key, field=name, article=article, todo=todo)
            for name, article in FIELDS.items()
            if not _filled(name, activity)
        ]


def _filled(name: str, activity: Activity) -> bool:
    told = activity.fields[name]
    enough = activity.key == REQUESTS or name not in SAID_ONLY
    return bool(told.said or (told.known and enough))


def as_json(record: ProcessingRecord) -> str:
    """Return the record as an object; ``docs/registers.md`` names its members."""
    values: dict[str, Any] = {
        "format": FORMAT,
        "language": record.language,
        "made_at": record.made_at,
        "art_30_1_a": dict(record.contacts),
        "activities": [
            {
                "activity": one.key,
                "id": one.id,
                "title": one.title,
                "description": one.number,
                **{
                    name: {"article": article, **_plain(one.fields[name])}
                    for name, article in FIELDS.items()
                },
                "models": list(one.models),
            }
            for one in record.activities
        ],
        "gaps": [vars(one) for one in record.gaps()],
    }
    return json.dumps(values, indent=2, ensure_ascii=False) + "\n"


def as_csv(record: ProcessingRecord) -> str:
    """Return a row an activity; a gap is an empty cell."""
    words = WORDS[record.language]
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow([words[name] for name in ("activity", *CONTACTS, *FIELDS, "models")])
    contacts = [record.contacts[name] for name in CONTACTS]
    for one in record.activities:
        cells = [one.title, *contacts, *(one.fields[name].text for name in FIELDS)]
        table.writerow([plain_cell(cell) for cell in (*cells, "; ".join(one.models))])
    return text.getvalue()


def as_markdown(record: ProcessingRecord) -> str:
    """Return a document for people: contacts, a section an activity, and what is missing."""
    words = WORDS[record.language]
    lines = [f"# {words['title']}", "", f"{words['made_at']}: {record.made_at}", ""]
    lines += [
        f"- **{words[name]}** ({CONTACTS_ARTICLE}): {_or_gap(record.contacts[name], words)}"
        for name in CONTACTS
    ]
    for one in record.activities:
        lines += ["", f"## {_flat(one.title)}", ""]
        lines += [
            f"- **{words[name]}** ({article}): {_or_gap(one.fields[name].text, words)}"
            for name, article in FIELDS.items()
        ]
        if one.models:
            lines.append(f"- **{words['models']}**: {_flat('; '.join(one.models))}")
    gaps = record.gaps()
    lines += ["", f"## {words['gaps']}", ""]
    lines += [
        f"- {gap.activity or words['controller']}: {words[gap.field]} ({gap.article}). {gap.todo}"
        for gap in gaps
    ] or [words["no_gaps"]]
    return "\n".join(lines) + "\n"


def _plain(told: Told) -> dict[str, Any]:
    return {"said": told.said, "known": list(told.known)}


def _or_gap(text: str, words: Mapping[str, str]) -> str:
    return _flat(text) or f"**{words['gap']}**"


def _flat(text: str) -> str:
    """Return a text as one line that is no markup."""
    return " ".join(text.split()).replace("<", "&lt;").replace("|", "\\|")
