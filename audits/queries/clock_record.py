"""What the sealed record says of a case's clock: as it was stored, nothing is counted again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from audits.core import events
from audits.core.deadline_words import sentences
from audits.models import ExtensionDecision
from audits.queries import clocks

if TYPE_CHECKING:
    from datetime import date

    from audits.models import CaseClock, ClockPause, ErasureRequest


def clock_record(request: ErasureRequest) -> dict[str, Any]:
    """Return the clock of a case under its key, without a word of staff; nothing without one."""
    clock = clocks.clock_of(request)
    if clock is None:
        return {}
    return {
        "clock": {
            **_derived(clock),
            "due_with_pauses": _day(clock.paused_due_on),
            "extended_due_with_pauses": _day(clock.paused_extended_due_on),
            "pauses": [_pause(row) for row in request.clock_pauses.order_by("since")],
            "extension": _extension(request),
            "in_words": list(sentences(clocks.derivation_of(clock))),
        }
    }


def _derived(clock: CaseClock) -> dict[str, Any]:
    return {
        "received_at": events.instant(clock.received_at),
        "received_on": clock.received_on.isoformat(),
        "zone": clock.zone,
        "regime": clock.regime,
        "rule": clock.rule,
        "calendar": clock.calendar,
        "calendar_version": clock.calendar_version,
        "counted": clock.raw.isoformat(),
        "due": clock.due_on.isoformat(),
        "skipped": clock.skipped,
        "extended_counted": _day(clock.extended_raw),
        "extended_due": _day(clock.extended_due_on),
        "extended_skipped": clock.extended_skipped,
        "acknowledge_on": _day(clock.acknowledge_on),
        "derived_later": clock.backfilled,
    }


def _pause(row: ClockPause) -> dict[str, Any]:
    return {
        "reason": row.reason,
        "from": events.instant(row.since),
        "until": None if row.until is None else events.instant(row.until),
    }


def _extension(request: ErasureRequest) -> dict[str, Any] | None:
    found = ExtensionDecision.objects.filter(request=request).first()
    if found is None:
        return None
    times = {
        "decided_at": found.decided_at,
        "notice_sent_at": found.notice_sent_at,
        "lapsed_at": found.lapsed_at,
    }
    return {
        "reason": found.reason_code,
        "due": found.new_due.isoformat(),
        **{name: None if at is None else events.instant(at) for name, at in times.items()},
    }


def _day(value: date | None) -> str | None:
    return None if value is None else value.isoformat()
