"""The tables of the threat model: attacks, what defends, and the tests that they name."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "threat-model.md").read_text()
HERE = "tests/attackers/"


class Row(NamedTuple):
    """A line of a table."""

    attack: str
    defence: str
    tests: str
    remains: str

    @property
    def files(self) -> list[str]:
        """The files of tests that it names."""
        return re.findall(r"`(tests/[\w/]+\.py)`", self.tests)

    @property
    def elsewhere(self) -> list[str]:
        """Of those, the ones that count nothing themselves."""
        return [name for name in self.files if not name.startswith(HERE)]

    @property
    def number(self) -> str:
        """The number of an attack by unlearning; of others nothing."""
        found = re.match(r"(\d+): ", self.attack)
        return found[1] if found else ""


ROWS = [
    Row(*(cell.strip() for cell in line.strip("|").split("|")))
    for line in TEXT.splitlines()
    if line.startswith("| ") and not line.startswith("| attack ")
]


def cases_of(row: Row, collected: dict[str, list[str]]) -> int:
    """How many cases of tests outside of here a row has, of those collected by file.

    In a file whose tests say the number of their attack, those of this one count.
    """
    total = 0
    for name in row.elsewhere:
        cases = collected.get(name, [])
        own = [one for one in cases if f"threat_{row.number}_" in one] if row.number else []
        total += len(own or cases)
    return total
