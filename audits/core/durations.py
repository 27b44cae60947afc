"""Lengths of time in words."""

from __future__ import annotations

LEAST = 0.1


def duration(seconds: float) -> str:
    """Return a length of time as people say it."""
    for length, unit in ((86400, "days"), (3600, "hours"), (60, "minutes")):
        if seconds >= 2 * length:
            return f"{seconds / length:.1f} {unit}"
    if 0 < seconds < LEAST:
        return f"less than {LEAST} seconds"
    return f"{seconds:.1f} seconds" if seconds else "no time"
