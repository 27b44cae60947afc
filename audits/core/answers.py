"""Whether the answers of a record are of the closed form, and the table that describes it.

``python -m audits.core.answers`` writes that table into ``docs/evidence-format.md``.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from audits.core.answers_schema import SECTIONS
from audits.core.fields import CODE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from audits.core.answer_kinds import Section

FORMAT = 1
PAGE = Path(__file__).parents[2] / "docs" / "evidence-format.md"
BEGIN, END = "<!-- answers:begin -->", "<!-- answers:end -->"


class AnswersRefused(ValueError):
    """A member of the answers is missing, unknown, or not of its kind."""


def none(reason: str) -> dict[str, str]:
    """Return the statement that a case has nothing of a kind, and why."""
    return {"none": reason}


def rows_or(
    reason: str, rows: list[dict[str, object]]
) -> list[dict[str, object]] | dict[str, str]:
    """Return the rows, or the statement that there are none."""
    return rows or none(reason)


def check_answers(answers: Mapping[str, object]) -> None:
    """Refuse answers that are not of the closed form. Raises AnswersRefused."""
    for name in sorted(answers.keys() ^ SECTIONS.keys()):
        what = "is missing" if name in SECTIONS else "is not known"
        raise AnswersRefused(f"answers.{name} {what}; allowed are {', '.join(SECTIONS)}.")
    for name, section in SECTIONS.items():
        _check_section(f"answers.{name}", section, answers[name])


def _check_section(name: str, section: Section, value: object) -> None:
    if isinstance(value, dict) and value.keys() == {"none"}:
        if not CODE.accepts(value["none"]):
            raise AnswersRefused(f"{name}.none is {value['none']!r}; it must be {CODE.rule}.")
        return
    if not section.many:
        _check_members(name, section, value)
        return
    if not isinstance(value, list) or not value:
        raise AnswersRefused(f"{name} must be a list that is not empty, or say none and why.")
    for row in value:
        _check_members(name, section, row)


def _check_members(name: str, section: Section, value: object) -> None:
    if not isinstance(value, dict) or value.keys() != section.members.keys():
        allowed = ", ".join(section.members)
        raise AnswersRefused(f"{name} must be an object with exactly: {allowed}.")
    for member, kind in section.members.items():
        if not kind.accepts(value[member]):
            raise AnswersRefused(f"{name}.{member} is {value[member]!r}; it must be {kind.rule}.")


def table() -> str:
    """Return the members as tables of Markdown."""
    return "\n".join(_lines())


def _lines() -> Iterator[str]:
    yield "| Member | Holds |"
    yield "|---|---|"
    for name, section in SECTIONS.items():
        members = ", ".join(f"`{one}`: {kind.name}" for one, kind in section.members.items())
        many = "a list; " if section.many else ""
        yield f"| `{name}` | {section.words} ({many}{members}) |"


def page_text(page: str) -> str:
    """Return the page with the table renewed."""
    head, _, rest = page.partition(BEGIN)
    _, _, tail = rest.partition(END)
    return f"{head}{BEGIN}\n{table()}\n{END}{tail}"


if __name__ == "__main__":
    PAGE.write_text(page_text(PAGE.read_text()))
