"""What an authority or a data protection officer asks of an erasure, and where a record answers.

A path names a member of a signed account: ``findings.request.channel``. It goes through lists, and
``events.TYPE.NAME`` is what the events of that type say. A member that is ``{"none": code}`` is an
answer too: the case has nothing of that kind, for the reason of that code.

``python -m audits.core.questions`` writes the table of ``docs/questions.md``.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from audits.core.account import Account

PAGE = Path(__file__).parents[2] / "docs" / "questions.md"
BEGIN, END = "<!-- questions:begin -->", "<!-- questions:end -->"
EMPTY: tuple[object, ...] = (None, "", [], {})


@dataclass(frozen=True, kw_only=True)
class Question:
    """A question in a sentence, and the members of an account that answer it."""

    words: str
    fields: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Reply:
    """What an account says to a question: values by path, and by path why there are none."""

    values: Mapping[str, list[Any]]
    none: Mapping[str, str]

    @property
    def answered(self) -> bool:
        """Return whether it says anything."""
        return bool(self.values or self.none)


def _asked(words: str, *fields: str) -> Question:
    return Question(words=words, fields=tuple(_spelled(one) for one in fields))


def _spelled(path: str) -> str:
    """Return the whole path; one that begins with a point is of the answers."""
    return f"findings.answers{path}" if path.startswith(".") else path


QUESTIONS: Mapping[str, Question] = MappingProxyType(
    {
        "Q1": _asked(
            "When exactly did the request arrive, through which channel, and who entered it?",
            "findings.request.received_at",
            "findings.request.channel",
            ".receipt",
        ),
        "Q2": _asked(
            "How do you know that it was that person, and did you ask for too much?",
            ".identity",
            ".checks",
        ),
        "Q3": _asked(
            "Which time limit applied, and how was it computed?",
            ".deadline",
            "findings.request.due_rule",
            "findings.clock.rule",
            "findings.clock.counted",
            "findings.clock.calendar",
            "findings.clock.due",
            "findings.clock.extension",
        ),
        "Q4": _asked("Why did it take so long?", ".steps", ".waits"),
        "Q5": _asked(
            "Which ground applied, and was another legal basis left?",
            "findings.request.ground",
            ".grounds",
            ".decisions",
        ),
        "Q6": _asked(
            "What was refused or kept, on which exception, and until when?",
            "findings.request.refusal_code",
            ".exceptions",
            "findings.ends.exception",
            "findings.ends.until",
        ),
        "Q7": _asked(
            "Where did you search, and where did you not?",
            ".search.spaces",
            ".places",
            "findings.places.locations.result",
            "findings.places.locations.reason",
        ),
        "Q8": _asked(
            "How did you find all records of this person?",
            ".search.rule",
            ".search.records",
            ".search.blind_spots",
            ".identifiers",
        ),
        "Q9": _asked(
            "Is the data deleted, or only masked?",
            "findings.erasure.records.remaining",
            "findings.places.locations.result",
            "findings.places.locations.verified_at",
            ".reproduction.records",
        ),
        "Q10": _asked(
            "What of backups, logs, caches, exports and labels?",
            ".backups",
            ".places",
            "findings.places.backups.expires_on",
        ),
        "Q11": _asked(
            "Which models learned from it, directly or through another model?",
            ".lineage.affected",
            "findings.plan.affected.path.source",
            "findings.plan.affected.influence",
        ),
        "Q12": _asked(
            "How sure are you that lineage is complete?",
            ".lineage.permille",
            ".lineage.complete",
            "findings.plan.unknown",
        ),
        "Q13": _asked(
            "What was done to each model?",
            "findings.ends.end",
            "findings.runs.method",
            "findings.runs.version_digest",
            "findings.runs.unlearned_digest",
            "findings.runs.seconds",
            "findings.runs.weighed",
            ".attempts",
        ),
        "Q14": _asked(
            "Is an old version still reachable somewhere?",
            ".deployments",
            "findings.told.deployments.place",
            "findings.told.not_acknowledged",
            ".others",
        ),
        "Q15": _asked(
            "Exact with respect to what?", ".exact", "findings.runs.guarantee", ".environments"
        ),
        "Q16": _asked(
            "If it is approximate, what is the residual risk?",
            "findings.evidence.verdict",
            "findings.evidence.reasons",
            "findings.evidence.payload.for_the_person",
            "findings.evidence.payload.contrasts",
            ".attacks",
        ),
        "Q17": _asked(
            "Which attack was made, how strong, against which adversary?",
            ".attacks",
            "findings.policy.attacks",
            "findings.policy.levels",
        ),
        "Q18": _asked(
            "Is what was not found just too little to be found?",
            ".attacks",
            "findings.policy.margin_subject",
            "findings.evidence.models_per_arm",
            "findings.evidence.payload.power",
        ),
        "Q19": _asked(
            "Did you pick the best of many runs, or move the limit afterwards?",
            ".limits_first",
            ".attempts",
        ),
        "Q20": _asked("Which attacks were not run, and why?", ".not_run"),
        "Q21": _asked(
            "Can it be repeated?",
            ".reproduction",
            ".environments",
            "findings.software",
            "findings.runs.hyperparameters",
        ),
        "Q22": _asked(
            "Could you have faked this?",
            ".witnesses.not_shown",
            ".witnesses.second_signer",
            ".actors",
        ),
        "Q23": _asked(
            "Did the test itself copy the data of the person?",
            ".test_copies",
            "findings.footprint.destroyed.shadows",
            "findings.footprint.left",
        ),
        "Q24": _asked("Did accuracy or fairness change for others?", ".utility", ".subgroups"),
        "Q25": _asked(
            "Does the removal make others, or the person, easier to find?",
            ".others",
            "findings.evidence.payload.retained",
        ),
        "Q26": _asked(
            "Whom did you tell, and did they act?",
            ".recipients",
            "findings.told.notices.state",
            "findings.told.notices.acknowledged_at",
        ),
        "Q27": _asked("What did you tell the person?", ".letters", "events.letter_sent.digest"),
        "Q28": _asked(
            "Who could change these records, and was anything changed?", ".roles", ".log"
        ),
        "Q29": _asked(
            "Which personal data is in this record and in the log?",
            ".retention",
            "events.request_received.commitment",
        ),
        "Q30": _asked("Will the person come back with a new import?", ".suppression"),
        "Q31": _asked("Were similar cases treated alike?", ".policy", ".period"),
        "Q32": _asked(
            "Who is responsible, and which software made this?",
            ".responsible",
            "findings.software.expunge",
        ),
        "Q33": _asked("What does this record not show?", "findings.limits"),
    }
)


def reply(account: Account, question: Question) -> Reply:
    """Return what an account says to a question."""
    whole = {"findings": account.findings, "events": _by_type(account)}
    values: dict[str, list[Any]] = {}
    none: dict[str, str] = {}
    for path in question.fields:
        found = list(_at(whole, path.split(".")))
        said = [one["none"] for one in found if _says_none(one)]
        there = [one for one in found if one not in EMPTY and not _says_none(one)]
        if there:
            values[path] = there
        elif said:
            none[path] = said[0]
    return Reply(values=values, none=none)


def unanswered(account: Account) -> list[str]:
    """Return the questions that an account says nothing to: of an early record, some."""
    return [name for name, one in QUESTIONS.items() if not reply(account, one).answered]


def _by_type(account: Account) -> dict[str, list[Mapping[str, object]]]:
    found: dict[str, list[Mapping[str, object]]] = {}
    for one in account.events:
        found.setdefault(one.event.type, []).append(dict(one.event.data))
    return found


def _says_none(value: Any) -> bool:  # noqa: ANN401  (any JSON value)
    return isinstance(value, dict) and value.keys() == {"none"}


def _at(value: Any, path: list[str]) -> Iterator[Any]:  # noqa: ANN401  (any JSON value)
    if isinstance(value, list) and path:
        for one in value:
            yield from _at(one, path)
    elif not path or _says_none(value):
        yield value
    elif isinstance(value, dict) and path[0] in value:
        yield from _at(value[path[0]], path[1:])


def table() -> str:
    """Return the questions as a table of Markdown."""
    lines = ["| | Question | Members that answer it |", "|---|---|---|"]
    for name, one in QUESTIONS.items():
        fields = ", ".join(f"`{path}`" for path in one.fields)
        lines.append(f"| {name} | {one.words} | {fields} |")
    return "\n".join(lines)


def page_text(page: str) -> str:
    """Return the page with the table renewed."""
    head, _, rest = page.partition(BEGIN)
    _, _, tail = rest.partition(END)
    return f"{head}{BEGIN}\n{table()}\n{END}{tail}"


if __name__ == "__main__":
    PAGE.write_text(page_text(PAGE.read_text()))
