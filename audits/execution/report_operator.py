"""What the report says otherwise where no data subject asked: the operator's own case."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from audits.execution import report_words as words
from audits.execution.report_retold import quoted
from audits.execution.report_sections import planned
from audits.execution.report_speech import counted, moment, say
from audits.execution.report_words import code, plain
from audits.queries.policy_values import in_force

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
    opened = say("Opened by itself") if first else say(words.STEPS["case_opened"])
    steps = {
        say(words.STEPS["case_opened"]): opened,
        say(words.STEPS["records_restricted"]): say(TAKEN_OUT),
    }
    answer = say(
        "No data subject asked for this. Questions go to %(contact)s.",
        contact=in_force("CONTACT"),
    )
    dropped = findings["request"]["outcome"] == "WITHDRAWN"
    return {
        "names": {**words.names(NAMES), "answer": answer},
        "due": say("no statutory deadline"),
        "meaning": say(DROPPED) if dropped else view["meaning"],
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
    models = next(area for area in view["areas"] if area[0] == say("Models"))
    approved = any(event["type"] == "forget_set_approved" for event in findings["events"])
    decided = [
        say("Approval"),
        say(words.DONE),
        say("Proposed by one member of staff, approved by another."),
    ]
    if findings["request"].get("linked_to"):
        decided[2] = say("Given in the case that this one follows on from.")
    elif not approved:
        return [[say("Data"), say(words.NOT_POSSIBLE), say(DROPPED)], models]
    return [[say("Data"), *_data(findings, case)], models, decided]


def _data(findings: Mapping[str, Any], case: Mapping[str, Any]) -> tuple[str, str]:
    rows = findings["erasure"]["records"]
    if case["disposal"] == "DELETE":
        remaining = sum(row["remaining"] for row in rows)
        text = words.deleted(sum(row["records"] for row in rows), remaining)
        return say(words.RESIDUAL if remaining else words.DONE), text
    kept = sum(row["records"] for row in findings["erasure"].get("kept_apart", []))
    return say(words.DONE), counted(
        kept,
        "%(n)s record kept apart, out of every training.",
        "%(n)s records kept apart, out of every training.",
    )


def _request(findings: Mapping[str, Any], case: Mapping[str, Any]) -> list[list[Any]]:
    facts = findings["request"]
    first = facts.get("linked_to")
    rows: list[list[Any]] = [
        [say("Opened"), moment(facts["received_at"])],
        [say("Reason"), say(REASONS[case["reason"]])],
        [say("Statutory deadline"), say("none")],
        [say("Approved"), say(EARLIER) if first else moment(facts["accepted_at"])],
        [say("The records"), say(DISPOSALS[case["disposal"]])],
    ]
    return [*rows, [say("Follows on from"), first]] if first else rows


def _search(findings: Mapping[str, Any], case: Mapping[str, Any]) -> list[list[Any]]:
    plan, finding = findings["plan"], case["finding"]
    rows: list[list[Any]] = [
        [say("Records named"), str(case["seeds"])],
        [say("Records in the forget set"), str(case["chosen"])],
        [say("Forget set (SHA-256)"), code(case["chosen_digest"])],
    ]
    if finding:
        rows += [
            [say("Scored by"), f"{finding['measure']} ({finding['reference']})"],
            [say("Clustered by"), finding["clustering"]],
            [say("How often random records have as much in common (p)"), plain(finding["chance"])],
        ]
    if case["note"]:
        rows.append([say("Why nothing more was proposed"), quoted(case["note"])])
    if plan:
        rows += planned(findings)
    return rows


def _kept(findings: Mapping[str, Any]) -> list[list[Any]]:
    rows = findings["erasure"].get("kept_apart", [])
    return [[say("Kept apart, out of every training"), str(row["records"])] for row in rows]
