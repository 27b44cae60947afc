"""The log's events: a closed schema, so that no personal data and no free text can enter the log.

Every type and every field is declared in ``event_types``; anything else is refused when it is
written and when it is read. An event's canonical JSON (RFC 8785) is the entry that the log hashes.
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
from audits.core.event_types import SCHEMA
from audits.core.fields import ACTOR, INSTANT, UUID, Kind

if TYPE_CHECKING:
    from collections.abc import Mapping

VERSION = 1

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
