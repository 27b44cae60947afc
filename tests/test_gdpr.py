"""Every row of the law is in the table, and every test that it names exists."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
TABLE = re.findall(
    r"^\| ([LME]\d+) \| (.+?) \| (.+?) \| (.+?) \|$", (ROOT / "docs/gdpr.md").read_text(), re.M
)
ROWS = [
    *(f"L{number}" for number in range(1, 28)),
    *(f"M{number}" for number in range(1, 16)),
    *(f"E{number}" for number in range(1, 8)),
]
WITHOUT_TEST = {"controller": "the controller's", "not done": "not done"}


def test_every_requirement_has_one_row():
    assert [row for row, *_ in TABLE] == ROWS


def test_every_test_that_a_row_names_exists():
    written = "\n".join(path.read_text() for path in (ROOT / "tests").rglob("test_*.py"))
    named = {shown.strip("`") for *_, shown in TABLE if shown.startswith("`")}
    assert [name for name in sorted(named) if f"def {name}(" not in written] == []


def test_a_test_is_named_after_its_row():
    named = {row: shown.strip("`") for row, _, _, shown in TABLE if shown.startswith("`")}
    assert [row for row, name in named.items() if f"_{row}_" not in name] == []


def test_a_row_without_a_test_says_why():
    for row, _, where, shown in TABLE:
        assert shown.startswith("`") or shown in WITHOUT_TEST, row
        assert shown != "not done" or where.startswith("not done: "), row


def test_every_file_that_a_row_names_exists():
    for row, _, where, _ in TABLE:
        for path in re.findall(r"`((?:audits|lineage|unlearning)/[\w/]+\.py)`", where):
            assert (ROOT / path).is_file(), (row, path)
        for page in re.findall(r"\]\(([\w-]+\.md)\)", where):
            assert (ROOT / "docs" / page).is_file(), (row, page)


def test_L26_the_assessment_names_every_store_of_personal_data():
    text = (ROOT / "docs/dpia.md").read_text()
    for store in ("database", "key store", "store", "erasure journal", "backups", "letters"):
        assert store in text, store
