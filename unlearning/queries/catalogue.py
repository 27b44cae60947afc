"""What the methods declare about themselves, read from the generated file: no torch."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

FILE = Path(__file__).parents[1] / "methods" / "catalogue.json"

# What the platform keeps for a method; records set apart for methods alone it does not know.
KEPT = frozenset({"RETAIN", "RECIPE", "NETWORK"})


@cache
def declared_methods() -> dict[str, dict[str, Any]]:
    """Return the declaration of every method by its name, sorted; ``docs/methods.md`` has keys."""
    return {each["name"]: each for each in json.loads(FILE.read_text(encoding="utf-8"))}


def titles() -> dict[str, str]:
    """Return the title of every method by its name."""
    return {name: method["title"] for name, method in declared_methods().items()}
