"""What a webhook tells, and when it tries again: a closed list, derived from the log's events.

A message holds references, ids and codes only. Each kind names the fields of its event that leave;
a commitment or a digest never does.
"""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from audits.core.events import Event

TEST = "webhook.test"
# After a first failure; each further wait is twice as long, up to the longest.
FIRST, LONGEST = timedelta(seconds=30), timedelta(hours=4)
_DOUBLINGS = 12


class KindsRefused(ValueError):
    """Somebody asked for a kind of message that there is not, or for none."""


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A kind of message: the type of event it is made from, and which of its fields leave.

    ``only``: a field and the value that it must have.
    """

    event: str
    words: str
    fields: tuple[str, ...] = ()
    only: tuple[str, str] | None = None

    def is_of(self, event: Event) -> bool:
        """Return whether an event makes such a message."""
        fits = self.only is None or event.data.get(self.only[0]) == self.only[1]
        return event.type == self.event and fits


KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        "case.received": Kind(
            event="request_received", words="A request came.", fields=("due_on",)
        ),
        "case.opened": Kind(
            event="case_opened", words="A case of the operator's own began.", fields=("reason",)
        ),
        "case.verified": Kind(event="request_verified", words="The person confirmed."),
        "case.accepted": Kind(event="request_accepted", words="It was decided to erase."),
        "case.refused": Kind(event="request_refused", words="It was decided to refuse."),
        "case.withdrawn": Kind(event="request_withdrawn", words="The person took it back."),
        "case.extended": Kind(
            event="deadline_extended", words="The time to answer is longer.", fields=("due_on",)
        ),
        "case.overdue": Kind(
            event="reminder_due",
            words="The time to answer has run out.",
            fields=("due_on",),
            only=("stage", "OVERDUE"),
        ),
        "case.failed": Kind(
            event="case_failed", words="A step failed; staff must act.", fields=("code",)
        ),
        "case.erased": Kind(event="case_erased", words="The records are erased."),
        "case.sealed": Kind(
            event="case_sealed", words="The record is sealed.", fields=("outcome",)
        ),
        "run.planned": Kind(
            event="run_planned",
            words="A version is to unlearn.",
            fields=("run", "version", "method"),
        ),
        "run.finished": Kind(
            event="run_finished",
            words="A run ended.",
            fields=("run", "method", "guarantee"),
        ),
        "run.failed": Kind(event="run_failed", words="A run failed.", fields=("run", "code")),
        "evidence.verdict": Kind(
            event="verdict_reached", words="A verdict was reached.", fields=("run", "verdict")
        ),
        "version.released": Kind(
            event="version_released", words="A version is in use.", fields=("run", "version")
        ),
        "version.replaced": Kind(
            event="version_stood_in",
            words="A version that was trained meanwhile serves in the place of another.",
            fields=("run", "version", "target", "release"),
        ),
        "version.withdrawn": Kind(
            event="version_withdrawn", words="A version must not be used.", fields=("version",)
        ),
        "version.quarantined": Kind(
            event="version_quarantined",
            words="A version must not be used until a case decided.",
            fields=("version",),
        ),
        "version.destroyed": Kind(
            event="version_destroyed", words="A version is gone.", fields=("version", "ground")
        ),
    }
)


def kind_of(event: Event) -> str | None:
    """Return the kind of message that an event makes; None for the many that make none."""
    return next((name for name, kind in KINDS.items() if kind.is_of(event)), None)


def checked(kinds: Iterable[str]) -> list[str]:
    """Return kinds in the order of the list, each once.

    Raises:
        KindsRefused: none is named, or one that there is not.
    """
    wanted = set(kinds)
    unknown = sorted(wanted - KINDS.keys())
    if unknown or not wanted:
        said = ", ".join(unknown) or "none"
        raise KindsRefused(f"events is {said}; allowed are {', '.join(KINDS)}.")
    return [name for name in KINDS if name in wanted]


def code_of(kind: str) -> str:
    """Return a kind as the log writes it."""
    return kind.replace(".", "_").upper()


def message_id(webhook: uuid.UUID, leaf_hash: bytes) -> uuid.UUID:
    """Return the id of the message about a leaf, the same however often it is made.

    By the leaf's hash and not by its index, which a restored log gives to another event.
    """
    return uuid.uuid5(webhook, leaf_hash.hex())


def message_of(message: uuid.UUID, event: Event, *, index: int, reference: str) -> bytes:
    """Return the body of a message: id, type, moment, and what of its event may leave."""
    kind = kind_of(event)
    if kind is None:
        raise KindsRefused(f"The event {event.type} makes no message.")
    data = {
        "event": event.type,
        "index": index,
        "proof": f"/api/v1/log/proof/{index}",
        **({"case": reference} if reference else {}),
        **{name: event.data[name] for name in KINDS[kind].fields},
    }
    return _body(message, kind, event.at, data)


def test_message(message: uuid.UUID, at: str) -> bytes:
    """Return the body of a message that tells of nothing."""
    return _body(message, TEST, at, {})


def next_wait(attempts: int, spread: float, asked: timedelta | None = None) -> timedelta:
    """Return how long to wait after so many tries that failed.

    Args:
        attempts: from 1.
        spread: from 0 to 1, at random, so that receivers are not asked by all at one moment:
            the wait is between half of its longest and the whole.
        asked: what the receiver asked for (``Retry-After``), which is kept up to the longest.
    """
    doubled: int = 2 ** min(max(attempts, 1) - 1, _DOUBLINGS)
    longest = min(FIRST * doubled, LONGEST)
    own = longest * (1 + spread) / 2
    return max(own, min(asked or own, LONGEST))


def is_over(since: datetime, now: datetime, hours: int) -> bool:
    """Return whether a message was tried for as long as it is to be."""
    return now - since >= timedelta(hours=hours)


def table() -> str:
    """Return the list as a Markdown table, for docs/webhooks.md."""
    lines = ["| type | when | beside `index`, `proof` and `case` | event of the log |"]
    lines.append("|---|---|---|---|")
    for name, kind in KINDS.items():
        fields = ", ".join(f"`{one}`" for one in kind.fields)
        lines.append(f"| `{name}` | {kind.words} | {fields} | `{kind.event}` |")
    return "\n".join(lines)


def _body(message: uuid.UUID, kind: str, at: str, data: Mapping[str, object]) -> bytes:
    told = {"id": str(message), "type": kind, "timestamp": at, "data": data}
    return json.dumps(told, sort_keys=True, separators=(",", ":")).encode()
