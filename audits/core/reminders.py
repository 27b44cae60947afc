"""How far a period has run: half, three quarters, nine tenths, over."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import date

OVERDUE = "OVERDUE"
STAGES = (("P90", 90), ("P75", 75), ("P50", 50))
WORDS = {
    "P50": "half of the time has passed",
    "P75": "three quarters of the time have passed",
    "P90": "nine tenths of the time have passed",
    OVERDUE: "overdue",
}


def stage_of(received_on: date, due_on: date, today: date) -> str:
    """Return the furthest stage that a period has reached on a day; empty before its half."""
    if today > due_on:
        return OVERDUE
    period, passed = (due_on - received_on).days, (today - received_on).days
    return next((name for name, share in STAGES if passed * 100 >= share * period), "")
