"""What a sealed record says of one case: its outcome, its findings and the events in the log.

An account is the predicate of the signed statement. It is closed at the top; the findings are the
audit's own JSON object. ``docs/evidence-format.md`` describes it field by field.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from audits.core.canonical import ShapeUnexpected, as_index, as_list, as_object, as_text
from audits.core.events import Event, EventRefused, from_json
from audits.core.fields import CODE, UUID
from audits.core.statement import Statement, Subject

if TYPE_CHECKING:
    from collections.abc import Mapping


class AccountRefused(ValueError):
    """A value is not the account of one case, with its events in the order of the log."""


@dataclass(frozen=True, kw_only=True)
class LoggedEvent:
    """An event and its place in the log, counted from 0."""

    index: int
    event: Event


@dataclass(frozen=True, kw_only=True)
class Account:
    """One case. Its events are about this case, or about no single case (a run may serve many)."""

    case: str
    outcome: str
    subjects: tuple[Subject, ...]
    findings: Mapping[str, object]
    events: tuple[LoggedEvent, ...]

    def __post_init__(self) -> None:
        if not UUID.accepts(self.case):
            raise AccountRefused(f"case must be {UUID.rule}.")
        if not CODE.accepts(self.outcome):
            raise AccountRefused(f"outcome must be {CODE.rule}.")
        if not self.events or self.events[0].index < 0:
            raise AccountRefused("events must hold at least one event, at an index from 0.")
        if any(later.index <= earlier.index for earlier, later in pairwise(self.events)):
            raise AccountRefused("events must be in the order of the log, each once.")
        if any(one.event.case not in (self.case, None) for one in self.events):
            raise AccountRefused("events must not belong to another case.")

    def to_statement(self) -> Statement:
        """The statement that is signed."""
        events = [{"index": one.index, "event": one.event.to_json()} for one in self.events]
        predicate = {
            "case": self.case,
            "outcome": self.outcome,
            "findings": dict(self.findings),
            "events": events,
        }
        return Statement(subjects=self.subjects, predicate=predicate)


def parse_account(statement: Statement) -> Account:
    """The account of a statement. Raises AccountRefused."""
    names = {"case", "outcome", "findings", "events"}
    try:
        value = as_object(statement.predicate, keys=names, what="The predicate")
        case = as_text(value["case"], what="case")
        outcome = as_text(value["outcome"], what="outcome")
        events = tuple(map(_logged, as_list(value["events"], what="events")))
    except (ShapeUnexpected, EventRefused) as error:
        raise AccountRefused(str(error)) from error
    findings = value["findings"]
    if not isinstance(findings, dict):
        raise AccountRefused("findings must be an object.")
    return Account(
        case=case,
        outcome=outcome,
        subjects=statement.subjects,
        findings=findings,
        events=events,
    )


def _logged(value: object) -> LoggedEvent:
    entry = as_object(value, keys={"index", "event"}, what="An entry of events")
    index = as_index(entry["index"], what="index")
    return LoggedEvent(index=index, event=from_json(entry["event"]))
