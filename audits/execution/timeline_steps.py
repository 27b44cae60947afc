"""The steps of a case with the time that each took, from the events of its sealed record."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

# The steps in their order, each with the events of which the last (of the first two: the first)
# ends it, and whether it is waiting for people that takes the time until then.
STEPS: Mapping[str, tuple[tuple[str, ...], bool]] = {
    "RECEIPT": (("request_received", "case_opened"), True),
    "CONFIRMATION": (("request_verified",), True),
    "SEARCH": (("subject_identified",), False),
    "DECISION": (
        ("request_accepted", "request_refused", "request_withdrawn", "forget_set_approved"),
        True,
    ),
    "RESTRICTION": (("records_restricted",), False),
    "PLAN": (("plan_drawn",), False),
    "RUNS": (("run_finished", "run_failed"), False),
    "AUDIT": (("verdict_reached",), False),
    "ERASURE": (("case_erased", "case_removed"), False),
    "SEAL": (("case_sealed",), False),
    "ANSWER": (("letter_sent",), False),
}
_FIRST = ("RECEIPT", "CONFIRMATION")
# Until the first of these a step that is work has only waited for its turn.
_BEGINS: Mapping[str, tuple[str, ...]] = {"RUNS": ("run_started",)}


@dataclass(frozen=True, kw_only=True)
class Step:
    """One step: it took from the end of the step before, ``start``, to ``end``.

    Until ``began`` it waited: for a person, for staff or for its turn.
    """

    name: str
    start: datetime
    began: datetime
    end: datetime

    @property
    def took(self) -> timedelta:
        """Return how long it took, the waiting included."""
        return self.end - self.start


@dataclass(frozen=True, kw_only=True)
class Course:
    """The whole case: its steps, when an answer was due, and when its clock stood still."""

    steps: tuple[Step, ...]
    due: datetime | None
    extended: datetime | None
    pauses: tuple[tuple[datetime, datetime], ...]

    @property
    def start(self) -> datetime:
        """Return when it came in."""
        return self.steps[0].end

    @property
    def end(self) -> datetime:
        """Return when its last step ended."""
        return self.steps[-1].end

    @property
    def took(self) -> timedelta:
        """Return the time of all steps together."""
        return self.end - self.start

    def share(self, step: Step) -> float:
        """Return the part of the whole time that a step took, from 0 to 1."""
        return step.took / self.took if self.took else 0.0


def course_of(findings: Mapping[str, Any]) -> Course | None:
    """Return the course of a case; None where the record holds no event of a step."""
    events = findings["events"]
    ends = {name: at for name, (kinds, _) in STEPS.items() if (at := _ended(name, kinds, events))}
    if not ends:
        return None
    steps: list[Step] = []
    for name, at in sorted(ends.items(), key=lambda each: each[1]):
        start = steps[-1].end if steps else at
        began = at if STEPS[name][1] else _began(name, events, start, at)
        steps.append(Step(name=name, start=start, began=began, end=at))
    clock = findings.get("clock") or {}
    extension = clock.get("extension") or {}
    last = steps[-1].end
    return Course(
        steps=tuple(steps),
        due=end_of(clock.get("due_with_pauses") or findings["request"]["due_on"]),
        extended=end_of(extension.get("due") if not extension.get("lapsed_at") else None),
        pauses=tuple(
            (_at(one["from"]), _at(one["until"]) if one["until"] else last)
            for one in clock.get("pauses", ())
        ),
    )


def _ended(
    name: str, kinds: tuple[str, ...], events: Iterable[Mapping[str, Any]]
) -> datetime | None:
    found = [_at(one["at"]) for one in events if one["type"] in kinds and _counts(name, one)]
    if not found:
        return None
    return found[0] if name in _FIRST else max(found)


def _counts(name: str, event: Mapping[str, Any]) -> bool:
    """Return whether an event ends a step: of the letters only one that answers."""
    return name != "ANSWER" or str(event["data"].get("letter", "")).startswith("ANSWER")


def _began(
    name: str, events: Sequence[Mapping[str, Any]], start: datetime, end: datetime
) -> datetime:
    kinds = _BEGINS.get(name, ())
    found = [_at(one["at"]) for one in events if one["type"] in kinds]
    return min(max(min(found, default=start), start), end)


def end_of(day: str | None) -> datetime | None:
    """Return the end of a day such as ``2026-04-02``."""
    return datetime.fromisoformat(day).replace(tzinfo=UTC) + timedelta(days=1) if day else None


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
