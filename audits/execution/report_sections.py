"""The sections of the report that follow from the request and the events of its case."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

from audits.execution import report_words as words
from audits.execution.report_answer_codes import coded
from audits.execution.report_retold import quoted
from audits.execution.report_speech import day, inside, language, moment, say, short_day, waited
from audits.execution.report_words import code, plain
from audits.queries.letter_texts import FALLBACK

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
        [say("Channel"), words.said(facts["channel"])],
        [say("Received"), moment(facts["received_at"])],
        [say("Identity confirmed"), moment(facts["verified_at"])],
        [say("Ground (Art. 17(1))"), coded(facts["ground"]) or say("not recorded")],
        [say("Answer due on"), day(facts["due_on"])],
        *_due(findings, received),
        [say("Commitment to the address"), code(received.get("commitment"))],
    ]
    if facts["refusal_code"]:
        rows.append([say("Refusal (Art. 17(3))"), coded(facts["refusal_code"])])
    if facts["joined_to"]:
        rows.append([say("Continues under"), facts["joined_to"]])
    if facts.get("linked_to"):  # records sealed by an earlier release do not say
        rows.append([say("Follows on from"), facts["linked_to"]])
    return rows


def _due(findings: Mapping[str, Any], received: Mapping[str, Any]) -> list[list[Any]]:
    """Return how the due date came about; records sealed by an earlier release say less."""
    rule = findings["request"]["due_rule"]
    clock = findings.get("clock")
    if clock is None:
        return [
            [say("Rule"), say("%(rule)s: a calendar month from receipt", rule=rule)],
            [say("Public holidays of"), str(received.get("calendar", say("not recorded")))],
            [say("Local day of receipt"), day(received.get("received_on"))],
        ]
    rows = [[say("Rule"), coded(rule)], [say("How it was counted"), _counted(clock)]]
    if clock["pauses"]:
        dues = f"{short_day(clock['due'])}, {short_day(clock['due_with_pauses'])}"
        rows.append([say("Due without and with pauses"), dues])
    if extension := clock["extension"]:
        told = extension["notice_sent_at"]
        named = f"{extension['reason']}, {day(extension['due'])}"
        said = (
            say("the person was told %(when)s", when=moment(told))
            if told
            else say("lapsed, as nobody was told")
        )
        rows.append([say("Extension"), f"{named}: {said}"])
    return rows


def _counted(clock: Mapping[str, Any]) -> str:
    """Return how the due date was derived: the recorded sentences are in English."""
    if language() == FALLBACK:
        return " ".join(clock["in_words"])
    return say(
        "Received on %(received)s (%(zone)s). Counted under the rule %(rule)s, the time ends on "
        "%(counted)s; with weekends and the public holidays of %(calendar)s the answer is due on "
        "%(due)s.",
        received=day(clock["received_on"]),
        zone=clock["zone"],
        rule=coded(clock["rule"]),
        counted=day(clock["counted"]),
        calendar=clock["calendar"],
        due=day(clock["due"]),
    )


def _first(events: Sequence[dict[str, Any]], kind: str) -> dict[str, Any]:
    return next((event for event in events if event["type"] == kind), {})


def clock(events: Sequence[Mapping[str, Any]]) -> list[list[str]]:
    """Return the steps of the case with the time since the step before."""
    steps = [event for event in events if event["type"] in words.STEPS]
    since = ["", *(waited(one["at"], next_["at"]) for one, next_ in pairwise(steps))]
    return [
        [say(words.STEPS[event["type"]]), moment(event["at"]), span]
        for event, span in zip(steps, since, strict=False)
    ]


def decisions(events: Sequence[Mapping[str, Any]]) -> list[list[Any]]:
    """Return what members of staff and the person decided."""
    return [
        [
            moment(event["at"]),
            words.said(event["type"]),
            _content(event["data"]),
            code(event["actor"]),
        ]
        for event in events
        if event["type"] in DECISIONS
    ]


def _content(data: Mapping[str, Any]) -> str:
    """Return what an event says, codes in words."""
    told = [
        say("%(title)s: %(label)s", title=words.said(name), label=coded(plain(value)))
        for name, value in data.items()
    ]
    return "; ".join(told) or say("none")


def search(findings: Mapping[str, Any]) -> list[list[Any]]:
    """Return what was searched and how much was found."""
    events, plan = findings["events"], findings["plan"]
    held = _first(events, "subject_identified").get("data", {})
    rows: list[list[Any]] = [
        [
            say("Identifier used"),
            say("the address confirmed by link, compared by its keyed digest"),
        ],
        [say("Records found"), plain(held.get("records", say("not searched")))],
    ]
    if searched := _first(events, "duplicates_searched").get("data"):
        text = say("%(exact)s equal, %(near)s close", **searched)
        rows.append([say("Duplicates among the records of others"), text])
    if plan:
        rows += planned(findings)
    return rows


def planned(findings: Mapping[str, Any]) -> list[list[Any]]:
    """Return what the plan of a case came to."""
    plan = findings["plan"]
    return [
        [say("Model versions affected"), str(len(plan.get("affected", [])))],
        [say("Not affected"), str(len(plan.get("not_affected", [])))],
        [say("Membership not captured"), str(len(plan.get("unknown", [])))],
        [say("Plan (SHA-256)"), code(findings["plan_digest"])],
    ]


def duplicates(findings: Mapping[str, Any]) -> list[list[str]]:
    """Return the records of others that are like an erased one."""
    return [
        [
            words.said(row["kind"]),
            plain(row["distance"]),
            words.said(row["decision"]) if row["decision"] else say("not decided"),
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
            f"{row['slug']} ({inside(words.said(row['category']))})",
            say(PLACES[row["result"]]) + (f": {row['reason']}" if row["reason"] else ""),
            str(row["found"]),
            str(row["remaining"]),
            moment(row["verified_at"]),
        ]
        for row in findings.get("places", {}).get("locations", ())
    ]


def backups(findings: Mapping[str, Any]) -> list[list[str]]:
    """Return the backups that still hold the person, with the day on which each is destroyed."""
    return [
        [row["backup"], row["covers"], short_day(row["made_on"]), short_day(row["expires_on"])]
        for row in findings.get("places", {}).get("backups", ())
    ]


def erasure(findings: Mapping[str, Any]) -> list[list[Any]]:
    """Return what else was destroyed or written because of the erasure."""
    erasure = findings["erasure"]
    rows: list[list[Any]] = [
        [say("Keys of the person destroyed"), str(erasure["subject_keys_destroyed"])]
    ]
    return rows + [
        [say("Journal entry for backups"), code(row["digest"])] for row in erasure["journal"]
    ]


def footprint(findings: Mapping[str, Any]) -> list[list[str]]:
    """Return how the evidence itself used the records, and that it was destroyed."""
    shadows = findings["erasure"]["shadows"]
    trained = [event for event in findings["events"] if event["type"] == "shadows_registered"]
    views = [event for event in findings["events"] if event["type"] == "erasure_view_opened"]
    rows: list[list[Any]] = [
        [say("Readings of restricted records, logged"), str(len(views))],
        [say("Shadow models trained"), str(_most(trained))],
    ]
    for row in shadows:
        text = say("%(count)s; %(remaining)s left when reading back", **row)
        rows.append([say("Shadow models and their scores destroyed"), text])
    for row in findings["erasure"].get("expired", ()):
        text = say("%(count)s, before a verdict or the close; %(remaining)s left", **row)
        rows.append([say("Shadow models and their scores expired"), text])
    return rows + (_derived(findings["footprint"]) if "footprint" in findings else [])


def _derived(found: Mapping[str, Any]) -> list[list[str]]:
    """Return what lineage still finds from the records, as it stood when the record was sealed."""
    gone, kept = found["destroyed"], found["kept"]
    return [
        [
            say("Derived from the records and destroyed"),
            say("%(models)s model version(s), %(shadows)s shadow model(s)", **gone),
        ],
        [say("Snapshots that name them as tombstones"), str(found["snapshots"])],
        [
            say("Kept, without a record's name"),
            say("%(evidence)s pieces of evidence, %(plots)s of them with a picture", **kept),
        ],
        *([say("Not destroyed yet"), each] for each in map(quoted, found["waiting"])),
        *([say("Left"), each] for each in map(quoted, found["left"] or [say("Nothing.")])),
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
