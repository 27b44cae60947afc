"""Try every attack, keep how often, and write it into the page: ``python -m tests.attackers``."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

import pytest

from tests.attackers.counting import WHERE, Kept, written
from tests.attackers.model import ROWS, cases_of

PAGE, KEPT = Path("docs/reliability.md"), Path("benchmarks/results/attackers.json")
BEGIN, END = "<!-- attacks -->\n", "<!-- end of attacks -->\n"


class Collected:
    """Which cases there are in each file."""

    def __init__(self) -> None:
        self.cases: dict[str, list[str]] = defaultdict(list)

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Note each case by its file."""
        for one in session.items:
            self.cases[one.nodeid.partition("::")[0]].append(one.nodeid)


def main() -> int:
    """Return the exit code of the tests; file and page are written if all attacks failed."""
    with tempfile.TemporaryDirectory() as folder:
        counts = Path(folder) / "tried.json"
        os.environ[WHERE] = str(counts)
        # What holds the page against the counts comes after them.
        left_out = "--ignore=tests/attackers/test_threat_model.py"
        code = int(pytest.main(["-q", "-n", "0", "tests/attackers", left_out]))
        if code:
            return code
        tried = json.loads(counts.read_text())
    found, files = Collected(), sorted({name for row in ROWS for name in row.elsewhere})
    code = int(pytest.main(["-q", "-q", "-n", "0", "--collect-only", *files], plugins=[found]))
    if not code:
        write({"tried": tried, "elsewhere": elsewhere(found.cases)})
    return code


def elsewhere(cases: dict[str, list[str]]) -> dict[str, int]:
    """How many cases the tests outside of here have for each attack that they try."""
    return {row.attack: cases_of(row, cases) for row in ROWS if row.elsewhere}


def write(kept: Kept) -> None:
    """Keep what a run left, and say it on the page."""
    KEPT.write_text(json.dumps(kept, indent=1) + "\n")
    before, _, rest = PAGE.read_text().partition(BEGIN)
    PAGE.write_text(before + BEGIN + written(kept) + END + rest.partition(END)[2])


if __name__ == "__main__":
    sys.exit(main())
