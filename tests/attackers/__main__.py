"""Try every attack and write how often into the page: ``python -m tests.attackers``."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from pathlib import Path

import pytest

from tests.attackers.counting import WHERE, table

PAGE = Path("docs/reliability.md")
BEGIN, END = "<!-- attacks -->\n", "<!-- end of attacks -->\n"


def main() -> int:
    """Return the exit code of the tests; the page is written if all attacks failed."""
    with tempfile.TemporaryDirectory() as folder:
        counts = Path(folder) / "tried.json"
        os.environ[WHERE] = str(counts)
        # What holds the page against the counts comes after them.
        left_out = "--ignore=tests/attackers/test_threat_model.py"
        code = int(pytest.main(["-q", "-n", "0", "tests/attackers", left_out]))
        if code == 0:
            before, _, rest = PAGE.read_text().partition(BEGIN)
            written = table(json.loads(counts.read_text()))
            PAGE.write_text(before + BEGIN + written + END + rest.partition(END)[2])
    return code


if __name__ == "__main__":
    sys.exit(main())
