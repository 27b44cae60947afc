"""The answers of a record for the report: rows and tables by chapter, and the list of questions.

Everything comes from the verified account. ``templates/reports/answers.typ`` sets it and has no
word of its own. A record of an earlier release has no answers; its report says so.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext

from audits.core.answer_kinds import NAME
from audits.core.answers_schema import SECTIONS
from audits.core.fields import ACTOR, CODE, COMMITMENT, DATE, INSTANT, UUID
from audits.core.questions import QUESTIONS, reply
from audits.execution.report_answer_codes import coded
from audits.execution.report_answer_words import CHAPTERS, LABELS
from audits.execution.report_speech import day, decimal, moment, number, say, spell

if TYPE_CHECKING:
    from collections.abc import Mapping

    from audits.core.account import Account

PERMILLE, SECONDS = "permille", "seconds"
FOLD = 18  # characters of a digest in a narrow column
WIDEST = 7
ACTORS = {"subject": "the person", "system": "the software by itself"}
# Names of the installation, in which nothing is a code.
NAMED = frozenset(
    name for one in SECTIONS.values() for name, kind in one.members.items() if kind is NAME
)


def answers_view(account: Account) -> dict[str, Any]:
    """Return what the report shows of the answers of an account.

    By chapter: ``pairs``, rows of a label and a value; ``tables``, each with ``title``, ``header``
    and ``rows``. Under ``questions``: one such table, of the questions that the record answers.
    ``header`` names the two columns of pairs.
    """
    answers: Any = account.findings.get("answers", {})
    chapters = {name: _chapter(answers, parts) for name, parts in CHAPTERS.items()}
    if not answers:
        said = say("not recorded by the release that sealed this record")
        chapters["request"]["pairs"].append([say("Further answers"), said])
    return {
        "header": _pair(),
        "chapters": chapters,
        "questions": _questions(account),
    }


def limits(findings: Mapping[str, Any]) -> list[str]:
    """Return what the record does not show, which is never nothing."""
    return list(findings.get("limits") or ()) or [
        say("This record names no limit. That does not mean that there is none.")
    ]


def _chapter(answers: Mapping[str, Any], parts: tuple[str, ...]) -> dict[str, list[Any]]:
    pairs: list[Any] = []
    tables: list[Any] = []
    for part in parts:
        value = answers.get(part)
        title, *labels = map(say, LABELS[part])
        if isinstance(value, list):
            tables += _tables(title, labels, value, part)
        elif isinstance(value, dict) and value.keys() == {"none"}:
            pairs.append([title, say("None: %(why)s", why=coded(value["none"]))])
        elif isinstance(value, dict):
            pairs += [
                [
                    say("%(title)s: %(label)s", title=title, label=label),
                    _shown(member, value[member]),
                ]
                for member, label in zip(SECTIONS[part].members, labels, strict=True)
            ]
    return {"pairs": pairs, "tables": tables}


def _tables(
    title: str, labels: list[str], rows: list[dict[str, Any]], part: str
) -> list[dict[str, Any]]:
    """Return one table, or one for each row where a page has no room for so many columns."""
    if len(labels) <= WIDEST:
        return [{"title": title, "header": labels, "rows": _rows(rows, part)}]
    names = SECTIONS[part].members
    return [
        {
            "title": title if len(rows) == 1 else f"{title} ({number})",
            "header": _pair(),
            "rows": [
                [label, _shown(name, row[name])] for name, label in zip(names, labels, strict=True)
            ],
        }
        for number, row in enumerate(rows, start=1)
    ]


def _pair() -> list[str]:
    return [say("Field"), say("Value")]


def _rows(rows: list[dict[str, Any]], part: str) -> list[list[Any]]:
    names = SECTIONS[part].members
    return [[_folded(_shown(name, row[name])) for name in names] for row in rows]


def _shown(member: str, value: Any) -> Any:  # noqa: ANN401  (a cell of any JSON value)
    """Return a value as a cell: text, or a digest in a fixed width."""
    if isinstance(value, str):
        return _named(member, value) if member in NAMED else _text(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return _whole(member, value)
    if isinstance(value, list):
        return ", ".join(map(coded, value)) or say("none")
    if isinstance(value, float):
        return number(value)
    return {None: say("no entry"), True: say("yes"), False: say("no")}[value]


def _whole(member: str, value: int) -> str:
    if member == PERMILLE:
        return f"{decimal(f'{value / 10:.1f}')} %"
    return spell(timedelta(seconds=value)) if member == SECONDS else str(value)


def _named(member: str, value: str) -> str:
    """Return a name of the installation; that of the authority has a translation by default."""
    return gettext(value) if member == "authority" else value


def _text(value: str) -> Any:  # noqa: ANN401  (a cell)
    if INSTANT.accepts(value):
        return moment(value)
    if DATE.accepts(value):
        return day(value)
    if value in ACTORS:
        return say(ACTORS[value])
    if any(kind.accepts(value) for kind in (COMMITMENT, UUID, ACTOR)):
        return {"code": value}
    return coded(value) if CODE.accepts(value) else value


def _folded(cell: Any) -> Any:  # noqa: ANN401  (a cell)
    """Return a cell whose digest is broken over lines, so that a narrow column can hold it."""
    if not isinstance(cell, dict):
        return cell
    text = cell["code"]
    return {"code": "\n".join(text[at : at + FOLD] for at in range(0, len(text), FOLD))}


def _questions(account: Account) -> dict[str, Any]:
    rows = [
        [name, say(asked.words), _answered(account, name)] for name, asked in QUESTIONS.items()
    ]
    header = [say("No."), say("Question"), say("Answered in the record by")]
    return {"title": say("The questions that this record answers"), "header": header, "rows": rows}


def _answered(account: Account, name: str) -> Any:  # noqa: ANN401  (a cell)
    said = reply(account, QUESTIONS[name])
    if said.values:
        return {"code": "\n".join(said.values)}
    if said.none:
        return say("None: %(why)s", why=coded(next(iter(said.none.values()))))
    return say("not recorded by the release that sealed this record")
