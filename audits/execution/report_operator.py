"""What the report says otherwise where no data subject asked: the operator's own case."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings

from audits.execution import report_words as words
from audits.execution.report_sections import planned
from audits.execution.report_words import code, counted, moment, plain

if TYPE_CHECKING:
    from collections.abc import Mapping

NAMES = {
    "title": "Removal record",
    "description": "Record of one case that the operator started",
    "keywords": ["machine unlearning", "training data", "audit"],
    "request": "The case and its steps",
    "data": "What became of the records",
}
REASONS = {
    "POISONED": "Poisoned records",
    "MISLABELLED": "Mislabelled records",
    "EXPIRED_CONSENT": "Consent has expired",
}
DISPOSALS = {
    "KEEP": "kept apart: still stored, and given to no training",
    "DELETE": "deleted",
}
DROPPED = "The case was dropped before anything was done."
TAKEN_OUT = "Records taken out of every training"
EARLIER = "given in the case that this one follows on from"


def operator_view(findings: Mapping[str, Any], view: Mapping[str, Any]) -> dict[str, Any]:
    """Return what replaces parts of the view of an operator's case; nothing for any other."""
    case = findings.get("operator_case")
    if case is None:
        return {}
    first = findings["request"].get("linked_to")
    opened = "Opened by itself" if first else words.STEPS["case_opened"]
    steps = {words.STEPS["case_opened"]: opened, words.STEPS["records_restricted"]: TAKEN_OUT}
    answer = f"No data subject asked for this. Questions go to {settings.EXPUNGE_CONTACT}."
    dropped = findings["request"]["outcome"] == "WITHDRAWN"
    return {
        "names": {**NAMES, "answer": answer},
        "due": "no statutory deadline",
        "meaning": DROPPED if dropped else view["meaning"],
        "areas": _areas(findings, case, view),
        "request": _request(findings, case),
        "clock": [[steps.get(step, step), *rest] for step, *rest in view["clock"]],
        "search": _search(findings, case),
        "erasure": view["erasure"][1:],
        "kept": _kept(findings),
    }


def _areas(
    findings: Mapping[str, Any], case: Mapping[str, Any], view: Mapping[str, Any]
) -> list[list[str]]:
    models = next(area for area in view["areas"] if area[0] == "Models")
    approved = any(event["type"] == "forget_set_approved" for event in findings["events"])
    decided = ["Approval", words.DONE, "Proposed by one member of staff, approved by another."]
    if findings["request"].get("linked_to"):
        decided[2] = EARLIER[:1].upper() + EARLIER[1:] + "."
    elif not approved:
        return [["Data", "unchanged", DROPPED], models]
    return [["Data", *_data(findings, case)], models, decided]


def _data(findings: Mapping[str, Any], case: Mapping[str, Any]) -> tuple[str, str]:
    rows = findings["erasure"]["records"]
    if case["disposal"] == "DELETE":
        remaining = sum(row["remaining"] for row in rows)
        deleted = counted(sum(row["records"] for row in rows), "record")
        text = f"{deleted} deleted; {remaining} found when reading back."
        return (words.RESIDUAL if remaining else words.DONE), text
    kept = sum(row["records"] for row in findings["erasure"].get("kept_apart", []))
    return words.DONE, f"{counted(kept, 'record')} kept apart, out of every training."


def _request(findings: Mapping[str, Any], case: Mapping[str, Any]) -> list[list[Any]]:
    facts = findings["request"]
    first = facts.get("linked_to")
    rows: list[list[Any]] = [
        ["Opened", moment(facts["received_at"])],
        ["Reason", REASONS[case["reason"]]],
        ["Statutory deadline", "none"],
        ["Approved", EARLIER if first else moment(facts["accepted_at"])],
        ["The records", DISPOSALS[case["disposal"]]],
    ]
    return [*rows, ["Follows on from", first]] if first else rows


def _search(findings: Mapping[str, Any], case: Mapping[str, Any]) -> list[list[Any]]:
    plan, finding = findings["plan"], case["finding"]
    rows: list[list[Any]] = [
        ["Records named", str(case["seeds"])],
        ["Records in the forget set", str(case["chosen"])],
        ["Forget set (SHA-256)", code(case["chosen_digest"])],
    ]
    if finding:
        rows += [
            ["Scored by", f"{finding['measure']} ({finding['reference']})"],
            ["Clustered by", finding["clustering"]],
            ["How often random records have as much in common (p)", plain(finding["chance"])],
        ]
    if case["note"]:
        rows.append(["Why nothing more was proposed", case["note"]])
    if plan:
        rows += planned(findings)
    return rows


def _kept(findings: Mapping[str, Any]) -> list[list[Any]]:
    rows = findings["erasure"].get("kept_apart", [])
    return [["Kept apart, out of every training", str(row["records"])] for row in rows]
