"""What the report of a sealed case shows, as one JSON object for ``templates/reports/record.typ``.

All of it comes from the verified record; the settings add who runs the installation. A cell of a
table is text, or ``{"code": text}`` for a digest. Nothing here is markup: the template sets every
value as text.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext

from audits.execution import report_models as models
from audits.execution import report_sections as sections
from audits.execution import report_words as words
from audits.execution.report_answers import answers_view
from audits.execution.report_answers import limits as limits_of
from audits.execution.report_checking import check_words
from audits.execution.report_evidence import evidence_cards
from audits.execution.report_kept import kept_of
from audits.execution.report_labels import five_words, labels
from audits.execution.report_operator import operator_view
from audits.execution.report_retold import quoted
from audits.execution.report_speech import counted, day, in_zone, language, moment, say
from audits.execution.report_told import told_area, told_view
from audits.queries.limit_sentences import ALWAYS
from audits.queries.policy_values import in_force

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from audits.core.account import LoggedEvent
    from audits.core.record import VerifiedRecord

BIGGEST = 3
# What the document and its sections are called; an operator's case has names of its own.
NAMES: dict[str, Any] = {
    "title": "Erasure record",
    "description": "Record of the handling of one erasure request",
    "keywords": ["erasure", "GDPR Art. 17", "machine unlearning", "audit"],
    "request": "The request and its clock",
    "data": "Erasure of data",
}
ANSWER = (
    "The answer to the person follows the seal, so this record cannot show it. A person who does "
    "not agree may complain to %(authority)s, or go to court; questions go to %(contact)s."
)
KEPT = (
    "The records were deleted, but for what an exception of Art. 17(3) keeps, and every model "
    "version known to have learned from them was treated as listed here."
)
FIRST_PAGE = 7  # rows of the table of models that fit on it


@dataclass(frozen=True, kw_only=True)
class SealedCase:
    """A record that was verified, with the parts of its file that the report prints in full."""

    verified: VerifiedRecord
    sha256: str
    vkey: str
    checkpoint_note: str

    @property
    def findings(self) -> dict[str, Any]:
        """Return the findings, with the events of the case and the seal at the end."""
        account = self.verified.account
        events = [_event(one) for one in (*account.events, self.verified.seal)]
        return {**account.findings, "events": events}


def view_of(case: SealedCase) -> dict[str, Any]:
    """Return everything that the report shows."""
    findings = case.findings
    with in_zone(findings):
        return _view(case, findings)


def _view(case: SealedCase, findings: dict[str, Any]) -> dict[str, Any]:
    view = {
        "locale": language(),
        "words": labels() | check_words(),
        "glossary": five_words(),
        "further": {},
        "names": {**words.names(NAMES), "answer": say(ANSWER, **site())},
        "kept": [],
        **identity(case, findings),
        **_first_page(case, findings),
        "request": sections.request(findings),
        "clock": sections.clock(findings["events"]),
        "decisions": sections.decisions(findings["events"]),
        "search": sections.search(findings),
        "duplicates": sections.duplicates(findings),
        "spaces": sections.spaces(findings),
        "artefacts": models.artefact_rows(findings),
        "erasure": sections.erasure(findings),
        "places": sections.places(findings),
        "backups": sections.backups(findings),
        "paths": models.paths(findings),
        "unknown": [{"code": str(one)} for one in findings["plan"].get("unknown", [])],
        "models": models.cards(findings),
        "evidence": evidence_cards(findings),
        "footprint": sections.footprint(findings),
        **told_view(findings),
        "letters": models.letter_rows(findings["events"]),
        "answers": answers_view(case.verified.account),
        "limits": list(map(quoted, limits_of(findings))),
        "software": [[name, str(version)] for name, version in findings["software"].items()],
        "events": sections.annex(findings["events"]),
    }
    return view | operator_view(findings, view)


def site() -> dict[str, str]:
    """Return where questions and complaints go, as the settings say."""
    return {"contact": in_force("CONTACT"), "authority": gettext(in_force("AUTHORITY"))}


def _event(one: LoggedEvent) -> dict[str, Any]:
    event = one.event
    return {
        "index": one.index,
        "type": event.type,
        "at": event.at,
        "actor": event.actor,
        "data": dict(event.data),
    }


def identity(case: SealedCase, findings: Mapping[str, Any]) -> dict[str, Any]:
    """Return which case it is, who runs the installation, and the log as it was sealed."""
    sealed = findings["events"][-1]["at"]
    return {
        "reference": findings["request"]["reference"],
        "case": case.verified.account.case,
        "controller": in_force("CONTROLLER"),
        "date": [int(part) for part in re.findall(r"[0-9]+", sealed)[:6]],
        "received_on": day(findings["request"]["received_at"]),
        "sealed_on": day(sealed),
        "due": say("answer due on %(day)s", day=day(findings["request"]["due_on"])),
        "sealed_at": moment(sealed),
        "log": {
            "origin": case.verified.checkpoint.origin,
            "size": case.verified.checkpoint.size,
            "root": case.verified.checkpoint.root.hex(),
            "seal": case.verified.seal.index,
            "vkey": case.vkey,
            "note": case.checkpoint_note,
            "record": case.sha256,
            "envelope": case.verified.digest,
        },
    }


def _first_page(case: SealedCase, findings: Mapping[str, Any]) -> dict[str, Any]:
    treated = models.treated_versions(findings)
    outcome = case.verified.account.outcome
    kept = outcome == "ERASED" and kept_of(findings)
    return {
        "outcome": words.said(outcome),
        "meaning": say(KEPT if kept else words.CASES.get(outcome, "See the sections below.")),
        "areas": areas(outcome, findings, treated),
        "versions": [[one.name, one.treatment, say(one.result)] for one in treated[:FIRST_PAGE]],
        "further_versions": max(0, len(treated) - FIRST_PAGE),
        "biggest": _biggest(findings["limits"]),
    }


def _biggest(limits: Sequence[str]) -> list[str]:
    """Return three limits: those that are special to the case first, the rarest of them first."""
    special = [limit for limit in limits if limit not in ALWAYS]
    general = [limit for limit in limits if limit in ALWAYS]
    return list(map(quoted, [*reversed(special), *general][:BIGGEST]))


def areas(
    outcome: str, findings: Mapping[str, Any], treated: Sequence[models.TreatedVersion]
) -> list[list[str]]:
    """Return a row per area: its name, one of the five words, and what that rests on."""
    letters = sum(event["type"] == "letter_sent" for event in findings["events"])
    return [
        [say("Data"), *_data_area(outcome, findings)],
        [say("Models"), *_model_area(treated, len(findings["plan"].get("unknown", [])))],
        [say("Recipients (Art. 19)"), *told_area(findings)],
        [
            say("Communication"),
            say(words.DONE if letters else words.INCONCLUSIVE),
            counted(
                letters,
                "%(n)s letter logged before the seal; the answer follows the seal.",
                "%(n)s letters logged before the seal; the answer follows the seal.",
            ),
        ],
    ]


def _data_area(outcome: str, findings: Mapping[str, Any]) -> tuple[str, str]:
    rows = findings["erasure"]["records"]
    if outcome == "REFUSED":
        return say(words.REFUSED), say("Code %(code)s.", code=findings["request"]["refusal_code"])
    elsewhere = Counter(row["result"] for row in findings.get("places", {}).get("locations", ()))
    if not rows and not elsewhere["DELETED"] and not elsewhere["MASKED"] and not kept_of(findings):
        return say(_without(outcome)), say(words.CASES.get(outcome, "No record was deleted."))
    remaining = sum(row["remaining"] for row in rows)
    text = words.deleted(sum(row["records"] for row in rows), remaining)
    for result, count in elsewhere.items():
        if result != "NONE_FOUND":
            state = say(sections.PLACES[result])
            text += " " + counted(
                count, "%(n)s place %(state)s.", "%(n)s places %(state)s.", state=state
            )
    kept = kept_of(findings)
    if kept:
        text += " " + counted(
            len(kept),
            "%(n)s part of the data is kept by an exception: %(what)s.",
            "%(n)s parts of the data are kept by exceptions: %(what)s.",
            what="; ".join(one.in_short() for one in kept),
        )
    left = remaining or kept or {"MASKED", "RESTRICTED", "NOT_SEARCHED"} & elsewhere.keys()
    return say(words.RESIDUAL if left else words.DONE), text


def _without(outcome: str) -> str:
    """Return the word for a case in which there was nothing to delete, or nothing was deleted."""
    return words.DONE if outcome in words.NOTHING_LEFT_TO_DO else words.NOT_POSSIBLE


def _model_area(treated: Sequence[models.TreatedVersion], unknown: int) -> tuple[str, str]:
    if not treated and not unknown:
        return say(words.DONE), say("No model version is known to have learned from the records.")
    results = {one.result for one in treated}
    result = words.INCONCLUSIVE
    if results <= {words.DONE, words.RESIDUAL, words.REFUSED}:
        left = unknown or results & {words.RESIDUAL, words.REFUSED}
        result = words.RESIDUAL if left else words.DONE
    if results in ({words.NOT_POSSIBLE}, {words.REFUSED}):
        (result,) = results
    stay = sum(one.kind == "excepted" for one in treated)
    text = counted(
        len(treated) - stay,
        "%(n)s version treated; %(unknown)s without captured membership, not treated.",
        "%(n)s versions treated; %(unknown)s without captured membership, not treated.",
        unknown=unknown,
    )
    if stay:
        text += " " + counted(stay, "%(n)s stays by an exception.", "%(n)s stay by exceptions.")
    return say(result), text
