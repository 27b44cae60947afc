"""What a span is, what it may say, and who records it; ``spans`` says when there is one.

The terms are those of OpenTelemetry (https://opentelemetry.io/docs/specs/otel/trace/api/), and
none of its packages is needed here. Times are nanoseconds since 1970.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    Kind = Literal["INTERNAL", "SERVER", "PRODUCER", "CONSUMER"]

TRACEPARENT = "traceparent"
IDLE = "expunge.idle"  # a span that nobody needs to see; it is not exported
# All that a span may say. Each is a code, a name of ours, a number or an id of a row: never what
# somebody typed, an address of a page, a name, or the id of a person.
ATTRIBUTES: Mapping[str, str] = MappingProxyType(
    {
        "action": "expunge.action",
        "attempt": "expunge.attempt",
        "case": "expunge.case",
        "error": "error.type",
        "job": "expunge.job",
        "kind": "expunge.job.kind",
        "method": "expunge.method",
        "outcome": "expunge.outcome",
        "queue": "messaging.destination.name",
        "route": "http.route",
        "run": "expunge.run",
        "state": "expunge.state",
        "status": "http.response.status_code",
        "step": "expunge.step",
        "verb": "http.request.method",
        "version": "expunge.version",
    }
)


@dataclass(frozen=True)
class Place:
    """A span as others name it: its trace's id, of 128 bits, and its own, of 64."""

    trace: int
    span: int


class Recorded(Protocol):
    """A span that somebody records."""

    @property
    def place(self) -> Place:
        """Return what others name it by."""

    def note(self, attributes: Mapping[str, str | int]) -> None:
        """Say more of it."""

    def event(self, name: str, attributes: Mapping[str, str | int]) -> None:
        """Say what happened in it at this moment."""

    def close(self, *, failed: bool = False, at: int | None = None) -> None:
        """End it, now or at a time in nanoseconds since 1970."""


class Recorder(Protocol):
    """Who records spans."""

    def start(
        self,
        name: str,
        parent: Place,
        kind: Kind,
        *,
        link: Place | None = None,
        began: int | None = None,
    ) -> Recorded:
        """Begin a span in another one."""

    def first(self, place: Place, name: str, *, began: int) -> Recorded:
        """Begin a span that lies in no other and has the ids of a place."""

    def write(self, place: Place) -> str:
        """Return a ``traceparent`` (https://www.w3.org/TR/trace-context/) that names a place."""

    def read(self, traceparent: str) -> Place | None:
        """Return the place that a ``traceparent`` names; None where it names none."""


def attributes_of(about: Mapping[str, str | int]) -> dict[str, str | int]:
    """Return what a span says, under the names that OpenTelemetry has for it or ours.

    Raises:
        ValueError: something is not in ``ATTRIBUTES``.
    """
    if refused := sorted(about.keys() - ATTRIBUTES.keys()):
        raise ValueError(
            f"A span may not say {', '.join(refused)}; it may say {', '.join(ATTRIBUTES)}."
        )
    return {ATTRIBUTES[name]: value for name, value in about.items() if value != ""}


def nanoseconds(when: datetime) -> int:
    """Return a time as spans have it."""
    return int(when.timestamp() * 1_000_000) * 1_000
