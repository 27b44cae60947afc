"""What the edition of the report for the person says: in plain words, and of them alone.

It is drawn from the same sealed record as the regulator's. No member of staff is in it, not even
under a random id, and no fact about somebody else: no duplicates, no events, no recipients by
name.
"""

from __future__ import annotations

from collections import Counter
from datetime import date
from typing import TYPE_CHECKING, Any

from audits.core.placeholders import fill
from audits.execution import report_words as words
from audits.execution.report_checking import person_checking
from audits.execution.report_kept import kept_of
from audits.execution.report_labels import labels
from audits.execution.report_models import treated_versions
from audits.execution.report_person_request import request_rows
from audits.execution.report_person_words import (
    ALWAYS,
    NOBODY,
    NOT_TOLD,
    OUTCOMES,
    PERSON,
    SOMETIMES,
    SUMMARIES,
    TEXTS,
)
from audits.execution.report_speech import counted, day, decimal, in_zone, language, say
from audits.execution.report_told import knows_registers
from audits.execution.report_view import SealedCase, areas, identity, site
from audits.queries.letter_models import attack_sentence, excepted_sentence, phrase_of
from audits.queries.letter_texts import FALLBACK, phrases

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from audits.execution.report_models import Run, TreatedVersion


def person_view(case: SealedCase) -> dict[str, Any]:
    """Return everything that the person's edition shows, in the language that is spoken."""
    findings = case.findings
    with in_zone(findings):
        return _view(case, findings)


def _view(case: SealedCase, findings: Mapping[str, Any]) -> dict[str, Any]:
    outcome = case.verified.account.outcome
    treated = treated_versions(findings)
    told = identity(case, findings)
    del told["case"]  # the reference is what a person knows
    return {
        "locale": language(),
        "names": words.names(PERSON),
        "words": labels() | words.names(TEXTS),
        **told,
        "outcome": words.said(outcome),
        "meaning": _meaning(outcome, findings, treated),
        "areas": _areas(outcome, findings, treated),
        "summary": _summary(findings, treated),
        "request": request_rows(findings),
        "data": _data(findings),
        "models": models_told(treated, findings),
        "checking": person_checking(reference=told["reference"], vkey=case.vkey),
        "limits": _limits(findings, treated),
        "rights": say(
            "Write to %(contact)s. You can also complain to %(authority)s, and you can go to "
            "court.",
            **site(),
        ),
    }


def _meaning(outcome: str, findings: Mapping[str, Any], treated: Sequence[TreatedVersion]) -> str:
    stays = kept_of(findings) or any(one.kind == "excepted" for one in treated)
    name = "EXCEPTED" if outcome == "ERASED" and stays else outcome
    return say(OUTCOMES.get(name, "See the sections below."))


def _areas(
    outcome: str, findings: Mapping[str, Any], treated: Sequence[TreatedVersion]
) -> list[list[str]]:
    """Return the areas of the report with their results, in words for the person."""
    letters = sum(event["type"] == "letter_sent" for event in findings["events"])
    texts = (
        _data_text(outcome, findings),
        _models_text(treated, len(findings["plan"].get("unknown", []))),
        _recipients_text(findings),
        counted(
            letters,
            "%(n)s letter to you before this was signed; our answer comes after it.",
            "%(n)s letters to you before this was signed; our answer comes after it.",
        ),
    )
    rows = areas(outcome, findings, treated)
    return [[name, result, text] for (name, result, _), text in zip(rows, texts, strict=True)]


def _data_text(outcome: str, findings: Mapping[str, Any]) -> str:
    rows = findings["erasure"]["records"]
    removed, left = (sum(row[name] for row in rows) for name in ("records", "remaining"))
    said = []
    if removed:
        said.append(
            counted(
                removed,
                "%(n)s record removed. We looked again afterwards and found %(left)s.",
                "%(n)s records removed. We looked again afterwards and found %(left)s.",
                left=left,
            )
        )
    if kept_of(findings):
        said.append(say("A part is kept under an exception, which is named below."))
    return " ".join(said) or say(OUTCOMES.get(outcome, "See the sections below."))


def _models_text(treated: Sequence[TreatedVersion], unknown: int) -> str:
    kinds = Counter(one.kind for one in treated)
    said = []
    if done := len(treated) - kinds["excepted"] - kinds["open"]:
        said.append(counted(done, "%(n)s model was dealt with.", "%(n)s models were dealt with."))
    said += [counted(kinds[one], *SUMMARIES[one]) for one in ("excepted", "open") if kinds[one]]
    if unknown:
        said.append(
            counted(
                unknown,
                "Of %(n)s model we do not know all that it learned from. It was not changed.",
                "Of %(n)s models we do not know all that they learned from. They were not "
                "changed.",
            )
        )
    return " ".join(said) or say("As far as we know, no model had learned from your data.")


def _recipients_text(findings: Mapping[str, Any]) -> str:
    if "told" not in findings:
        return say(NOBODY if knows_registers(findings) else NOT_TOLD)
    told = findings["told"]
    return say(
        "Places and people that had your data or the models: %(all)s. Not confirmed yet when "
        "this was signed: %(left)s.",
        all=len(told["notices"]) + len(told["deployments"]),
        left=len(told["not_acknowledged"]),
    )


def _summary(findings: Mapping[str, Any], treated: Sequence[TreatedVersion]) -> list[str]:
    """Return the result in a few plain sentences."""
    rows = findings["erasure"]["records"]
    if not rows:
        return []
    records = sum(row["records"] for row in rows)
    sets = counted(len(rows), "%(n)s data set", "%(n)s data sets")
    said = [
        counted(
            records,
            "We removed your record from %(sets)s.",
            "We removed your %(n)s records from %(sets)s.",
            sets=sets,
        )
    ]
    if not treated:
        return [*said, say("As far as we know, no model had learned from them.")]
    learned = counted(
        len(treated), "%(n)s model had learned from them.", "%(n)s models had learned from them."
    )
    kinds = Counter(one.kind for one in treated)
    told = [counted(kinds[kind], *SUMMARIES[kind]) for kind in SUMMARIES if kinds[kind]]
    return [*said, learned, *told]


def _data(findings: Mapping[str, Any]) -> list[str]:
    """Return what became of the data: section 5 in short."""
    told, kept = phrases(language()), kept_of(findings)
    places = Counter(row["result"] for row in findings.get("places", {}).get("locations", ()))
    said = []
    if findings["erasure"]["records"]:
        left = sum(row["remaining"] for row in findings["erasure"]["records"])
        said.append(told["deleted_but" if left or kept else "deleted"])
    said += [one.for_the_person(language()) for one in kept]
    if findings["erasure"]["subject_keys_destroyed"]:
        said.append(told["keys_destroyed"])
    if places["DELETED"]:
        said.append(fill(told["places_erased"], {"count": str(places["DELETED"])}))
    backups = findings.get("places", {}).get("backups", ())
    if backups:
        last = max(row["expires_on"] for row in backups)
        said.append(
            say("The last backup that holds your data is destroyed on %(day)s.", day=day(last))
        )
    return said or [say("None of your data was deleted.")]


def models_told(treated: Sequence[TreatedVersion], findings: Mapping[str, Any]) -> list[str]:
    """Return a sentence per version, in the words of the letters."""
    if not treated:
        return [phrases(language())["no_models"]]
    return [_told(one, findings) for one in treated]


def _told(one: TreatedVersion, findings: Mapping[str, Any]) -> str:
    told, version = phrases(language()), {"version": one.name}
    if one.end and one.kind == "excepted":
        until = date.fromisoformat(one.end["until"])
        return excepted_sentence(one.name, one.end["exception"], until, language())
    if one.kind == "open":
        return fill(told["planned_open"], version)
    if not one.runs:
        return fill(told["destroy"], version)
    run = one.final
    epsilon = run["report"].get("epsilon", "")
    values = {
        **version,
        "epsilon": decimal(f"{epsilon:.2f}") if isinstance(epsilon, int | float) else str(epsilon),
        "delta": decimal(str(run["report"].get("delta", ""))),
        "evidence": _evidence(run, findings),
    }
    shards = bool(run["report"].get("replay", {}).get("shards"))
    return fill(told[phrase_of(run["method"], run["guarantee"], shards=shards)], values)


def _evidence(run: Run, findings: Mapping[str, Any]) -> str:
    """Return the sentence on the test that the letter has, too, with its numbers."""
    rows = [row for row in findings["evidence"] if row["run"] == run["run"] and row["verdict"]]
    payload = rows[-1]["payload"] if rows else {}
    found, said = payload.get("pass_in_numbers"), str(payload.get("for_the_person", ""))
    if said and not found and language() == FALLBACK:
        return said  # evidence of an earlier release, which has no numbers for other languages
    return attack_sentence(found, language())


def _limits(findings: Mapping[str, Any], treated: Sequence[TreatedVersion]) -> list[str]:
    results = {row["result"] for row in findings.get("places", {}).get("locations", ())}
    kinds = {one.kind for one in treated}
    holds = {
        "masked": "MASKED" in results,
        "kept": "RESTRICTED" in results or bool(kept_of(findings)),
        "stays": "excepted" in kinds,
        "unsearched": "NOT_SEARCHED" in results,
        "backups": bool(findings.get("places", {}).get("backups")),
        "unknown": bool(findings["plan"].get("unknown")),
        "tested": "changed" in kinds,
        "bounded": "left" in kinds,
        "removed": "bounded" in kinds,
    }
    return [*(say(SOMETIMES[name]) for name in SOMETIMES if holds[name]), *map(say, ALWAYS)]
