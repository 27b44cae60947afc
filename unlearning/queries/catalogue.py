"""What the methods declare about themselves, read from the generated file: no torch."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from unlearning.core.claims import Granularity, Guarantee, Need

FILE = Path(__file__).parents[1] / "methods" / "catalogue.json"

# What the platform keeps for a method; records set apart for methods alone it does not know.
KEPT = frozenset({"RETAIN", "RECIPE", "NETWORK"})


@cache
def declared_methods() -> dict[str, dict[str, Any]]:
    """Return the declaration of every method by its name, sorted; ``docs/methods.md`` has keys."""
    return {each["name"]: each for each in json.loads(FILE.read_text(encoding="utf-8"))}


def unsuited(name: str) -> str:
    """Return why a method can do nothing for a person's request here; empty if it may."""
    method = declared_methods()[name]
    title = method["title"]
    if missing := [need for need in method["needs"] if need not in KEPT]:
        named = ", ".join(sorted(Need[need].value for need in missing))
        return f"{title} needs {named}, which this platform does not keep."
    if method["guarantee"] == Guarantee.CERTIFIED.name:
        return f"{title} is chosen by the planner, where EXPUNGE_ACCEPT_EPSILON allows it."
    if method["granularity"] == Granularity.CLASS.name:
        return f"{title} forgets whole classes, and a person's records are none."
    return ""


def titles() -> dict[str, str]:
    """Return the title of every method by its name."""
    return {name: method["title"] for name, method in declared_methods().items()}
