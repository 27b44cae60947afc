"""Where the time of a case went: the share of each step, and when it stood still."""

from __future__ import annotations

from datetime import datetime
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from audits.core.account import LoggedEvent

# The event that ends a step. What passed since the event before was spent on that step, so a step
# that is taken several times gets all of its time.
ENDS: Mapping[str, str] = MappingProxyType(
    {
        "request_verified": "CONFIRMATION",
        "identity_checked": "IDENTIFICATION",
        "info_received": "IDENTIFICATION",
        "person_not_identified": "IDENTIFICATION",
        "forget_set_proposed": "CHOICE",
        "forget_set_approved": "DECISION",
        "decision_approved": "DECISION",
        "request_accepted": "DECISION",
        "request_refused": "DECISION",
        "request_withdrawn": "WITHDRAWAL",
        "request_expired": "CONFIRMATION",
        "plan_drawn": "PLANNING",
        "plan_redrawn": "PLANNING",
        "run_finished": "UNLEARNING",
        "run_failed": "UNLEARNING",
        "verdict_reached": "AUDIT",
        "case_erased": "ERASURE",
        "case_removed": "ERASURE",
        "restriction_lifted": "RESTRICTION",
        "request_resumed": "HOLD",
    }
)
LAST = "SEAL"
STILL: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "request_held": ("request_resumed",),
        "info_asked": ("info_received", "question_taken_back", "person_not_identified"),
        "clock_paused": ("clock_resumed",),
    }
)
REASONS: Mapping[str, str] = MappingProxyType(
    {"request_held": "HOLD", "info_asked": "PERSON_ASKED", "clock_paused": "CLOCK_PAUSED"}
)


def steps(events: Sequence[LoggedEvent], *, sealed_at: str) -> list[dict[str, object]]:
    """Return what each step took of the time from the first event to the seal.

    Seconds are rounded; the shares are in thousandths and add up to 1000, or are 0 where no time
    passed at all.

    Args:
        events: of one case, in the order of the log.
        sealed_at: instant of the seal.
    """
    spent: dict[str, int] = {}
    before = _milliseconds(events[0].event.at)
    ends = [(ENDS[one.event.type], one.event.at) for one in events if one.event.type in ENDS]
    for step, at in [*ends, (LAST, sealed_at)]:
        moment = _milliseconds(at)
        # A clock that was set back takes nothing from any step.
        spent[step] = spent.get(step, 0) + max(0, moment - before)
        before = max(before, moment)
    shares = thousandths(list(spent.values()))
    return [
        {"step": step, "seconds": round(took / 1000), "permille": share}
        for (step, took), share in zip(spent.items(), shares, strict=True)
    ]


def thousandths(parts: Sequence[int]) -> list[int]:
    """Return the shares of whole numbers in thousandths, adding up to 1000 (largest remainder)."""
    whole = sum(parts)
    if not whole:
        return [0] * len(parts)
    shares = [1000 * part // whole for part in parts]
    order = sorted(range(len(parts)), key=lambda at: -(1000 * parts[at] % whole))
    for at in order[: 1000 - sum(shares)]:
        shares[at] += 1
    return shares


def waits(events: Iterable[LoggedEvent]) -> list[dict[str, object]]:
    """Return when a case stood still: reason, since and until, which is null while it lasts."""
    found: list[dict[str, object]] = []
    open_: dict[str, dict[str, object]] = {}
    for one in events:
        kind, at = one.event.type, one.event.at
        for start, ends in STILL.items():
            if kind in ends and start in open_:
                open_.pop(start)["until"] = at
        if kind in STILL and kind not in open_:
            open_[kind] = {"reason": _reason(one), "since": at, "until": None}
            found.append(open_[kind])
    return found


def _reason(one: LoggedEvent) -> str:
    kind, data = one.event.type, one.event.data
    return str(data.get("code") or data.get("reason") or data.get("doubt") or REASONS[kind])


def _milliseconds(instant: str) -> int:
    return round(datetime.fromisoformat(instant).timestamp() * 1000)
