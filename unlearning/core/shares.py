"""How many canaries may be planted, and which of them one run spends."""

from __future__ import annotations

# With fewer, the share of one run is too few for a test that could ever find anything.
FEWEST, MOST = 32, 4096
SHARES = 4


def share_of(number: int, first: int) -> tuple[int, int]:
    """Return which canaries the next run spends: a quarter of all, or what is left."""
    return first, min(number, first + -(-number // SHARES))


def refused(name: str, number: int) -> str:
    """Return why so many canaries cannot be planted, as a sentence; empty where they can."""
    if number == 0 or FEWEST <= number <= MOST:
        return ""
    return (
        f"{name} is {number}; it must be 0, which plants no canaries, or between {FEWEST} and "
        f"{MOST}."
    )
