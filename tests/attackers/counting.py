"""How often each class of attack was tried: the tests count, and the page is written from that."""

from __future__ import annotations

import json
import os
from collections import Counter
from pathlib import Path

WHERE = "EXPUNGE_ATTACKS_TRIED"  # the file that the counts of a run go to
tries: Counter[str] = Counter()


def tried(attack: str, times: int = 1) -> None:
    """Count attempts of a class of attack that the test has just made, and that failed."""
    tries[attack] += times


def keep() -> None:
    """Write what was counted, where somebody asked for it."""
    if where := os.environ.get(WHERE):
        Path(where).write_text(json.dumps(tries, indent=1, sort_keys=True) + "\n")


def table(counts: dict[str, int]) -> str:
    """Return the counts as a table of the documentation."""
    head = ["| class of attack | attempts, none of which came through |", "|---|---|"]
    rows = [f"| {attack} | {times:,} |" for attack, times in sorted(counts.items())]
    total = f"| **together** | {sum(counts.values()):,} |"
    return "\n".join([*head, *rows, total, ""])
