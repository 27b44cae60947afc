"""The sections of the report that follow from the request and the events of its case."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

from audits.execution import report_words as words
from audits.execution.report_words import code, moment, plain

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

DECISIONS = (
    "request_accepted",
    "request_refused",
    "request_withdrawn",
    "decision_proposed",
    "decision_approved",
    "decision_returned",
    "ground_found",
    "exception_recorded",
    "exception_ended",
    "excepted_place_erased",
    "action_refused",
    "duplicate_proposed",
    "duplicate_decided",
    "case_opened",
    "forget_set_proposed",
    "forget_set_returned",
    "forget_set_approved",
    "case_dropped",
)


def request(findings: Mapping[str, Any]) -> list[list[Any]]:
    """Return the request as rows: how it came in, when an answer is due, and by which rule."""
    facts = findings["request"]
    received = _first(findings["events"], "request_received").get("data", {})
    rows: list[list[Any]] = [
        ["Channel", words.said(facts["channel"])],
        ["Received", moment(facts["received_at"])],
        ["Identity confirmed", moment(facts["verified_at"])],
        ["Ground (Art. 17(1))", facts["ground"] or "not recorded"],
        ["Answer due on", facts["due_on"]],
        *_due(findings, received),
        ["Commitment to the address", code(received.get("commitment"))],
    ]
    if facts["refusal_code"]:
        rows.append(["Refusal (Art. 17(3))", facts["refusal_code"]])
    if facts["joined_to"]:
        rows.append(["Continues under", facts["joined_to"]])
    if facts.get("linked_to"):  # records sealed by an earlier release do not say
        rows.append(["Follows on from", facts["linked_to"]])
    return rows


def _due(findings: Mapping[str, Any], received: Mapping[str, Any]) -> list[list[Any]]:
    """Return how the due date came about; records sealed by an earlier release say less."""
    rule = findings["request"]["due_rule"]
    clock = findings.get("clock")
    if clock is None:
        return [
            ["Rule", f"{rule}: a calendar month from receipt"],
            ["Public holidays of", str(received.get("calendar", "not recorded"))],
            ["Local day of receipt", str(received.get("received_on", "not recorded"))],
        ]
    rows = [["Rule", rule], ["How it was counted", " ".join(clock["in_words"])]]
    if clock["pauses"]:
        rows.append(["Due without and with pauses", f"{clock['due']}, {clock['due_with_pauses']}"])
    if extension := clock["extension"]:
        told = extension["notice_sent_at"]
        said = f"the person was told {moment(told)}" if told else "lapsed, as nobody was told"
        rows.append(["Extension", f"{extension['reason']}, to {extension['due']}: {said}"])
    return rows


def _first(events: Sequence[dict[str, Any]], kind: str) -> dict[str, Any]:
    return next((event for event in events if event["type"] == kind), {})


def clock(events: Sequence[Mapping[str, Any]]) -> list[list[str]]:
    """Return the steps of the case with the time since the step before."""
    steps = [event for event in events if event["type"] in words.STEPS]
    since = ["", *(words.waited(one["at"], next_["at"]) for one, next_ in pairwise(steps))]
    return [
        [words.STEPS[event["type"]], moment(event["at"]), span]
        for event, span in zip(steps, since, strict=False)
    ]


def decisions(events: Sequence[Mapping[str, Any]]) -> list[list[Any]]:
    """Return what members of staff and the person decided."""
    return [
        [
            moment(event["at"]),
            words.said(event["type"]),
            plain(event["data"]),
            code(event["actor"]),
        ]
        for event in events
        if event["type"] in DECISIONS
    ]


def search(findings: Mapping[str, Any]) -> list[list[Any]]:
    """Return what was searched and how much was found."""
    events, plan = findings["events"], findings["plan"]
    held = _first(events, "subject_identified").get("data", {})
    rows: list[list[Any]] = [
        ["Identifier used", "the address confirmed by link, compared by its keyed digest"],
        ["Records found", plain(held.get("records", "not searched"))],
    ]
    if searched := _first(events, "duplicates_searched").get("data"):
        text = f"{searched['exact']} equal, {searched['near']} close"
        rows.append(["Duplicates among the records of others", text])
    if plan:
        rows += planned(findings)
    return rows


def planned(findings: Mapping[str, Any]) -> list[list[Any]]:
    """Return what the plan of a case came to."""
    plan = findings["plan"]
    return [
        ["Model versions affected", str(len(plan.get("affected", [])))],
        ["Not affected", str(len(plan.get("not_affected", [])))],
        ["Membership not captured", str(len(plan.get("unknown", [])))],
        ["Plan (SHA-256)", code(findings["plan_digest"])],
    ]


def duplicates(findings: Mapping[str, Any]) -> list[list[str]]:
    """Return the records of others that are like an erased one."""
    return [
        [
            words.said(row["kind"]),
            plain(row["distance"]),
            words.said(row["decision"]) if row["decision"] else "not decided",
        ]
        for row in findings["duplicates"]
    ]


def spaces(findings: Mapping[str, Any]) -> list[list[Any]]:
    """Return what was deleted in each space of records, and what was left."""
    rows = findings["erasure"]["records"]
    return [[code(row["space"]), str(row["records"]), str(row["remaining"])] for row in rows]


PLACES = {
    "DELETED": "deleted",
    "MASKED": "masked, not erased",
    "RESTRICTED": "kept, restricted",
    "NONE_FOUND": "nothing found",
    "NOT_SEARCHED": "not searched",
    "NOT_REACHABLE": "not reachable",
    "REMAINS": "something remains",
}


def places(findings: Mapping[str, Any]) -> list[list[str]]:
    """Return what became of the data at each registered place; earlier releases name none."""
    return [
        [
            f"{row['slug']} ({row['category'].lower()})",
            PLACES[row["result"]] + (f": {row['reason']}" if row["reason"] else ""),
            str(row["found"]),
            str(row["remaining"]),
            moment(row["verified_at"]),
        ]
        for row in findings.get("places", {}).get("locations", ())
    ]


def backups(findings: Mapping[str, Any]) -> list[list[str]]:
    """Return the backups that still hold the person, with the day on which each is destroyed."""
    return [
        [row["backup"], row["covers"], row["made_on"], row["expires_on"]]
        for row in findings.get("places", {}).get("backups", ())
    ]


def erasure(findings: Mapping[str, Any]) -> list[list[Any]]:
    """Return what else was destroyed or written because of the erasure."""
    erasure = findings["erasure"]
    rows: list[list[Any]] = [
        ["Keys of the person destroyed", str(erasure["subject_keys_destroyed"])]
    ]
    return rows + [
        ["Journal entry for backups", code(row["digest"])] for row in erasure["journal"]
    ]


def footprint(findings: Mapping[str, Any]) -> list[list[str]]:
    """Return how the evidence itself used the records, and that it was destroyed."""
    shadows = findings["erasure"]["shadows"]
    trained = [event for event in findings["events"] if event["type"] == "shadows_registered"]
    views = [event for event in findings["events"] if event["type"] == "erasure_view_opened"]
    rows: list[list[Any]] = [
        ["Readings of restricted records, logged", str(len(views))],
        ["Shadow models trained", str(_most(trained))],
    ]
    for row in shadows:
        text = f"{row['count']}; {row['remaining']} left when reading back"
        rows.append(["Shadow models and their scores destroyed", text])
    for row in findings["erasure"].get("expired", ()):
        text = f"{row['count']}, before a verdict or the close; {row['remaining']} left"
        rows.append(["Shadow models and their scores expired", text])
    return rows + (_derived(findings["footprint"]) if "footprint" in findings else [])


def _derived(found: Mapping[str, Any]) -> list[list[str]]:
    """Return what lineage still finds from the records, as it stood when the record was sealed."""
    gone, kept = found["destroyed"], found["kept"]
    return [
        [
            "Derived from the records and destroyed",
            f"{gone['models']} model version(s), {gone['shadows']} shadow model(s)",
        ],
        ["Snapshots that name them as tombstones", str(found["snapshots"])],
        [
            "Kept, without a record's name",
            f"{kept['evidence']} pieces of evidence, {kept['plots']} of them with a picture",
        ],
        *(["Not destroyed yet", each] for each in found["waiting"]),
        *(["Left", each] for each in found["left"] or ["Nothing."]),
    ]


def _most(registered: Sequence[Mapping[str, Any]]) -> int:
    """Return the shadows of all runs: the count of a run grows from event to event."""
    runs: dict[str, int] = {}
    for event in registered:
        data = event["data"]
        runs[data["run"]] = max(runs.get(data["run"], 0), data["count"])
    return sum(runs.values())


def annex(events: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return every event of the case."""
    return [
        {
            "index": event["index"],
            "at": moment(event["at"]),
            "type": event["type"],
            "actor": event["actor"],
            "data": [f"{name}: {plain(value)}" for name, value in event["data"].items()],
        }
        for event in events
    ]
