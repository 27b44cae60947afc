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

from django.conf import settings

from audits.execution import report_models as models
from audits.execution import report_sections as sections
from audits.execution import report_words as words
from audits.execution.report_answers import answers_view
from audits.execution.report_answers import limits as limits_of
from audits.execution.report_evidence import evidence_cards
from audits.execution.report_operator import operator_view
from audits.execution.report_told import told_area, told_view
from audits.execution.report_words import counted, moment
from audits.queries.limit_sentences import ALWAYS

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
    "answer": "The answer to the person follows the seal, so this record cannot show it. A person "
    "who does not agree may complain to {authority}, or go to court; questions go to {contact}.",
}
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
    view = {
        "names": {**NAMES, "answer": NAMES["answer"].format(**_site())},
        "kept": [],
        **_identity(case, findings),
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
        "unknown": list(map(str, findings["plan"].get("unknown", []))),
        "models": models.cards(findings),
        "evidence": evidence_cards(findings),
        "footprint": sections.footprint(findings),
        **told_view(findings),
        "letters": models.letter_rows(findings["events"]),
        "answers": answers_view(case.verified.account),
        "limits": limits_of(findings),
        "software": [[name, str(version)] for name, version in findings["software"].items()],
        "events": sections.annex(findings["events"]),
    }
    return view | operator_view(findings, view)


def _site() -> dict[str, str]:
    return {"contact": settings.EXPUNGE_CONTACT, "authority": settings.EXPUNGE_AUTHORITY}


def _event(one: LoggedEvent) -> dict[str, Any]:
    event = one.event
    return {
        "index": one.index,
        "type": event.type,
        "at": event.at,
        "actor": event.actor,
        "data": dict(event.data),
    }


def _identity(case: SealedCase, findings: Mapping[str, Any]) -> dict[str, Any]:
    sealed = findings["events"][-1]["at"]
    return {
        "reference": findings["request"]["reference"],
        "case": case.verified.account.case,
        "controller": settings.EXPUNGE_CONTROLLER,
        "date": [int(part) for part in re.findall(r"[0-9]+", sealed)[:6]],
        "received_on": findings["request"]["received_at"][:10],
        "due": f"answer due on {findings['request']['due_on']}",
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
    return {
        "outcome": words.said(outcome),
        "meaning": words.CASES.get(outcome, "See the sections below."),
        "areas": _areas(outcome, findings, treated),
        "versions": [[one.name, one.treatment, one.result] for one in treated[:FIRST_PAGE]],
        "further_versions": max(0, len(treated) - FIRST_PAGE),
        "biggest": _biggest(findings["limits"]),
    }


def _biggest(limits: Sequence[str]) -> list[str]:
    """Return three limits: those that are special to the case first, the rarest of them first."""
    special = [limit for limit in limits if limit not in ALWAYS]
    general = [limit for limit in limits if limit in ALWAYS]
    return [*reversed(special), *general][:BIGGEST]


def _areas(
    outcome: str, findings: Mapping[str, Any], treated: Sequence[models.TreatedVersion]
) -> list[list[str]]:
    letters = sum(event["type"] == "letter_sent" for event in findings["events"])
    return [
        ["Data", *_data_area(outcome, findings)],
        ["Models", *_model_area(treated, len(findings["plan"].get("unknown", [])))],
        ["Recipients (Art. 19)", *told_area(findings)],
        [
            "Communication",
            words.DONE if letters else "not recorded",
            f"{counted(letters, 'letter')} logged before the seal; the answer follows the seal.",
        ],
    ]


def _data_area(outcome: str, findings: Mapping[str, Any]) -> tuple[str, str]:
    rows = findings["erasure"]["records"]
    if outcome == "REFUSED":
        return words.REFUSED, f"Code {findings['request']['refusal_code']}."
    elsewhere = Counter(row["result"] for row in findings.get("places", {}).get("locations", ()))
    if not rows and not elsewhere["DELETED"] and not elsewhere["MASKED"]:
        return "nothing deleted", words.CASES.get(outcome, "No record was deleted.")
    remaining = sum(row["remaining"] for row in rows)
    deleted = counted(sum(row["records"] for row in rows), "record")
    text = f"{deleted} deleted; {remaining} found when reading back."
    for result, count in elsewhere.items():
        if result != "NONE_FOUND":
            text += f" {counted(count, 'place')} {sections.PLACES[result]}."
    left = remaining or {"MASKED", "RESTRICTED", "NOT_SEARCHED"} & elsewhere.keys()
    return (words.RESIDUAL if left else words.DONE), text


def _model_area(treated: Sequence[models.TreatedVersion], unknown: int) -> tuple[str, str]:
    if not treated and not unknown:
        return ("none affected", "No model version is known to have learned from the records.")
    results = {one.result for one in treated}
    result = words.INCONCLUSIVE
    if results <= {words.DONE, words.RESIDUAL}:
        result = words.RESIDUAL if unknown or words.RESIDUAL in results else words.DONE
    text = f"{counted(len(treated), 'version')} treated"
    return result, f"{text}; {unknown} without captured membership, not treated."
