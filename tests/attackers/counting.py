"""How often each class of attack was tried: the tests count, and the page is written from that."""

from __future__ import annotations

import json
import os
from collections import Counter
from pathlib import Path
from typing import TypedDict

WHERE = "EXPUNGE_ATTACKS_TRIED"  # the file that the counts of a run go to
tries: Counter[str] = Counter()


class Kept(TypedDict):
    """What a run leaves: attempts of the tests here, and cases of the tests elsewhere."""

    tried: dict[str, int]
    elsewhere: dict[str, int]


def tried(attack: str, times: int = 1) -> None:
    """Count attempts of a class of attack that the test has just made, and that failed."""
    tries[attack] += times


def keep() -> None:
    """Write what was counted, where somebody asked for it."""
    if where := os.environ.get(WHERE):
        Path(where).write_text(json.dumps(tries, indent=1, sort_keys=True) + "\n")


def written(kept: Kept) -> str:
    """Return the part of the documentation that says what a run left."""
    attempts = table("class of attack | attempts, none of which came through", kept["tried"])
    total = f"| **together** | {sum(kept['tried'].values()):,} |\n"
    between = (
        "\nAttacks of the threat model that other tests make, in its order, with the cases of\n"
        "these tests: those that are called by the number of the attack where it has one, else\n"
        "all of the files that its row names. What shares a file shares its cases, so they have\n"
        "no sum.\n\n"
    )
    cases = table("attack | cases of tests", kept["elsewhere"], in_order=False)
    return attempts + total + between + cases


def table(head: str, counts: dict[str, int], *, in_order: bool = True) -> str:
    """Return counts as a table of the documentation, by name or as they are."""
    rows = sorted(counts.items()) if in_order else counts.items()
    lines = [f"| {head} |", "|---|---|", *(f"| {name} | {times:,} |" for name, times in rows)]
    return "\n".join([*lines, ""])
