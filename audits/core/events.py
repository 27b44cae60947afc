"""The log's events: a closed schema, so that no personal data and no free text can enter the log.

Every type and every field is declared in ``SCHEMA``; anything else is refused when it is written
and when it is read. An event's canonical JSON (RFC 8785) is the entry that the log hashes.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import UTC, date, datetime
from types import MappingProxyType
from typing import TYPE_CHECKING

from audits.core.canonical import (
    NotCanonical,
    ShapeUnexpected,
    as_object,
    as_text,
    read_json,
    write_json,
)
from audits.core.fields import (
    ACTOR,
    CODE,
    COMMITMENT,
    COUNT,
    DATE,
    INSTANT,
    SHA256,
    SLUG,
    UUID,
    Kind,
    choice,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

VERSION = 1

SCHEMA: Mapping[str, Mapping[str, Kind]] = {
    "request_received": {
        "channel": CODE,
        "commitment": COMMITMENT,
        "received_on": DATE,
        "due_on": DATE,
        "rule": CODE,
        "calendar": CODE,
    },
    "request_verified": {"method": CODE},
    "subject_identified": {"result": choice("FOUND", "NOT_FOUND"), "records": COUNT},
    "request_accepted": {"ground": CODE},
    "request_refused": {"code": CODE},
    "request_withdrawn": {},
    "request_held": {"code": CODE},
    "request_resumed": {},
    "case_opened": {"reason": CODE, "space": UUID, "disposal": CODE},
    "forget_set_scored": {
        "version": UUID,
        "seeds": COUNT,
        "found": COUNT,
        "result": SHA256,
    },
    "forget_set_proposed": {"space": UUID, "records": COUNT, "digest": SHA256},
    "forget_set_returned": {},
    "forget_set_approved": {"records": COUNT, "digest": SHA256},
    "case_dropped": {},
    "records_restricted": {"space": UUID, "records": COUNT, "digest": SHA256},
    "duplicates_searched": {"exact": COUNT, "near": COUNT, "settings": SHA256},
    "duplicate_proposed": {"finding": UUID},
    "duplicate_decided": {"finding": UUID, "decision": CODE},
    "batch_formed": {"batch": UUID, "cases": COUNT},
    "policy_fixed": {"policy": SHA256},
    "plan_drawn": {"plan": SHA256, "affected": COUNT, "not_affected": COUNT, "unknown": COUNT},
    "plan_redrawn": {"plan": SHA256, "previous": SHA256},
    "run_planned": {
        "run": UUID,
        "version": UUID,
        "method": SLUG,
        "forget_count": COUNT,
        "forget_digest": SHA256,
    },
    "erasure_view_opened": {"run": UUID, "purpose": CODE, "records": COUNT},
    "run_started": {"run": UUID, "attempt": COUNT},
    "run_finished": {
        "run": UUID,
        "method": SLUG,
        "guarantee": CODE,
        "result": SHA256,
        "elapsed_ms": COUNT,
    },
    "run_failed": {"run": UUID, "code": CODE},
    "run_taken_over": {"run": UUID, "version": UUID},
    "run_escalated": {"run": UUID, "to_run": UUID, "verdict": CODE},
    "shadows_registered": {"run": UUID, "count": COUNT},
    "look_taken": {"run": UUID, "models_per_arm": COUNT, "design": SHA256},
    "certificate_relied_on": {"run": UUID, "certificate": UUID, "digest": SHA256},
    "certificate_set_aside": {"run": UUID, "certificate": UUID},
    "certificate_issued": {"run": UUID, "certificate": UUID, "key": SHA256, "digest": SHA256},
    "verdict_reached": {
        "run": UUID,
        "verdict": CODE,
        "evidence": SHA256,
        "models_per_arm": COUNT,
    },
    "artefact_destroyed": {"artefact": UUID, "kind": CODE, "digest": SHA256},
    "version_withdrawn": {"version": UUID},
    "version_released": {"run": UUID, "version": UUID},
    "version_stood_in": {
        "run": UUID,
        "version": UUID,
        "target": UUID,
        "release": choice("RELEASED", "HELD"),
    },
    "records_erased": {"space": UUID, "records": COUNT, "remaining": COUNT},
    "snapshots_superseded": {"space": UUID, "snapshots": COUNT, "note": SHA256},
    "erasures_replayed": {"entries": COUNT, "records": COUNT, "remaining": COUNT},
    "case_linked": {"original": UUID, "versions": COUNT},
    "label_conflict_released": {"conflict": UUID, "space": UUID},
    "label_conflict_dropped": {"conflict": UUID, "space": UUID},
    "incident_raised": {"code": CODE},
    "version_quarantined": {"version": UUID},
    "tuning_frozen": {
        "tuning": UUID,
        "method": SLUG,
        "dataset": UUID,
        "recipe": SHA256,
        "study": SHA256,
        "artefact": SHA256,
    },
    "journal_written": {"entry": UUID, "digest": SHA256},
    "shadows_purged": {"count": COUNT, "remaining": COUNT},
    "shadows_expired": {"run": UUID, "count": COUNT, "remaining": COUNT},
    "scores_expired": {"count": COUNT, "remaining": COUNT},
    "subject_key_destroyed": {"subject": UUID},
    "case_key_destroyed": {},
    "case_erased": {},
    "records_kept_apart": {"space": UUID, "records": COUNT, "digest": SHA256},
    "case_removed": {},
    "case_sealed": {"record": SHA256, "outcome": CODE},
    "case_failed": {"code": CODE},
    "letter_sent": {"letter": CODE, "digest": SHA256},
    "report_exported": {"format": CODE, "digest": SHA256},
}

# Events of these types are always about one case; others may be about the system or many cases.
NEEDS_CASE = ("request_", "case_", "forget_set_")


class EventRefused(ValueError):
    """A value is not an event of the closed schema."""


@dataclass(frozen=True, kw_only=True)
class Event:
    """One event in the form the log holds. It cannot be made unless it obeys the schema."""

    type: str
    at: str
    actor: str
    case: str | None
    data: Mapping[str, object]

    def __post_init__(self) -> None:
        object.__setattr__(self, "data", MappingProxyType(dict(self.data)))
        _check(self)

    def to_json(self) -> dict[str, object]:
        """The JSON object whose canonical bytes are the log entry."""
        return {
            "v": VERSION,
            "type": self.type,
            "case": self.case,
            "at": self.at,
            "actor": self.actor,
            "data": dict(self.data),
        }


def draft(
    kind: str,
    data: Mapping[str, object],
    *,
    at: datetime,
    actor: str,
    case: uuid.UUID | None = None,
) -> Event:
    """An event from Python values: UUIDs, dates, moments and text choices become JSON values.

    Args:
        kind: a type of ``SCHEMA``.
        data: its fields.
        at: a moment with a time zone; digits below the millisecond are dropped.
        actor: ``system``, ``subject`` or ``staff:`` and the random id of a member of staff.
        case: none for an event of the whole system.

    Raises:
        EventRefused: not of the schema.
    """
    plain = {name: _plain(value) for name, value in data.items()}
    return Event(
        type=kind, at=instant(at), actor=actor, case=str(case) if case else None, data=plain
    )


def instant(moment: datetime) -> str:
    """The moment in UTC to the millisecond. Raises EventRefused for one without a time zone."""
    if moment.tzinfo is None:
        raise EventRefused(f"at is {moment.isoformat()}; it needs a time zone.")
    text = moment.astimezone(UTC).isoformat(timespec="milliseconds")
    return text.removesuffix("+00:00") + "Z"


def encode(event: Event) -> bytes:
    """The log entry: canonical JSON (RFC 8785)."""
    _check(event)
    return write_json(event.to_json())


def parse(data: bytes) -> Event:
    """Read a log entry. Raises EventRefused unless ``encode`` could have written these bytes."""
    try:
        return from_json(read_json(data))
    except NotCanonical as error:
        raise EventRefused(f"The log entry is refused: {error}") from error


def from_json(value: object) -> Event:
    """The event of a decoded log entry. Raises EventRefused."""
    names = {"v", "type", "case", "at", "actor", "data"}
    try:
        outer = as_object(value, keys=names, what="An event")
        kind, at, actor = (as_text(outer[name], what=name) for name in ("type", "at", "actor"))
        case = None if outer["case"] is None else as_text(outer["case"], what="case")
    except ShapeUnexpected as error:
        raise EventRefused(str(error)) from error
    data = outer["data"]
    if not isinstance(data, dict):
        raise EventRefused("data must be an object.")
    if type(outer["v"]) is not int or outer["v"] != VERSION:
        raise EventRefused(f"v must be {VERSION}.")
    return Event(type=kind, at=at, actor=actor, case=case, data=data)


def table() -> str:
    """The schema as two Markdown tables, for the documentation."""
    kinds = {kind.name: kind for of_type in SCHEMA.values() for kind in of_type.values()}
    kinds |= {kind.name: kind for kind in (UUID, INSTANT, ACTOR)}
    return "\n".join(
        [
            "| Event type | Fields of `data` |",
            "|---|---|",
            *(f"| `{name}` | {_cell(of_type)} |" for name, of_type in SCHEMA.items()),
            "",
            "| Kind | Rule |",
            "|---|---|",
            *(f"| {name} | {kinds[name].rule} |" for name in sorted(kinds)),
        ]
    )


def _cell(of_type: Mapping[str, Kind]) -> str:
    return ", ".join(f"`{name}`: {kind.name}" for name, kind in of_type.items()) or "none"


def _check(event: Event) -> None:
    # No message repeats a value: a value that is refused may be a person's name.
    if event.type not in SCHEMA:
        raise EventRefused("type must be one of the event types of the schema.")
    if event.case is None and event.type.startswith(NEEDS_CASE):
        raise EventRefused(f"case must be given: {event.type} is about one case.")
    if not (event.case is None or UUID.accepts(event.case)):
        raise EventRefused(f"case must be {UUID.rule}, or null.")
    _check_field("at", event.at, INSTANT)
    _check_field("actor", event.actor, ACTOR)
    declared = SCHEMA[event.type]
    if event.data.keys() != declared.keys():
        allowed = ", ".join(declared) or "none"
        raise EventRefused(f"data of {event.type} must have exactly these fields: {allowed}.")
    for name, kind in declared.items():
        _check_field(f"data.{name}", event.data[name], kind)


def _check_field(name: str, value: object, kind: Kind) -> None:
    if not kind.accepts(value):
        raise EventRefused(f"{name} must be {kind.rule}.")


def _plain(value: object) -> object:
    match value:
        case datetime():
            return instant(value)
        case date():
            return value.isoformat()
        case uuid.UUID():
            return str(value)
        case str():
            return str.__str__(value)  # a text choice: its value, not its label
        case _:
            return value
