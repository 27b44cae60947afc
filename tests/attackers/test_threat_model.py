"""The threat model names tests that are there, and every attack that it must cover."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from django.conf import settings

from tests.attackers.__main__ import BEGIN, END, PAGE
from tests.attackers.counting import table

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "threat-model.md").read_text()
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in TEXT.splitlines()
    if line.startswith("| ") and not line.startswith("| attack ")
]
# The advisories of Fides that are public, by their numbers, and the attacks of unlearning.
ADVISORIES = ("GHSA-qx5f-ghc2-7g5c", "CVE-2024-45053", "CVE-2025-57817", "CVE-2025-57816")
UNLEARNING = range(1, 21)
SETTING = re.compile(r"`(EXPUNGE_\w+)`")


# What defends only once somebody sets it, and its value until then.
OFF = {"EXPUNGE_MIN_BATCH": 1, "EXPUNGE_OUTPUTS": "FULL", "EXPUNGE_RELEASE_ATTACK": 0}
NO_DEFENCE = {"", "none", "nothing", "no defence", "not yet", "n a"}


def defends(told: str) -> bool:
    """Whether a cell names something that defends, before it says more of it."""
    first = re.split(r"[:;,.(]", told, maxsplit=1)[0]
    return " ".join(re.findall(r"\w+", first)).lower() not in NO_DEFENCE


@pytest.mark.parametrize(
    "told", ["", "-", "none", "None.", "none: it works", "nothing", "no defence", "n/a", "not yet"]
)
def test_none_is_no_defence(told):
    assert not defends(told)


def test_what_is_off_by_default_is_said_to_be():
    said = {name for row in ROWS if "off by default" in row[3] for name in SETTING.findall(row[3])}
    assert said == {*OFF}
    assert {name: getattr(settings, name) for name in OFF} == OFF
    for row in ROWS:  # a defence that is named by what it does, not by its setting
        for word in ("batches", "coarse answers", "the gate", "differential privacy"):
            assert word not in row[1] or "by default" in row[3], row[0]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0][:40])
def test_every_attack_has_a_defence_and_a_test_that_is_there(row):
    attack, defence, tests, _ = row
    assert attack
    assert defends(defence), attack
    named = re.findall(r"`(tests/[\w/]+\.py)`", tests)
    assert named, attack
    for name in named:
        tree = ast.parse((ROOT / name).read_text())
        defined = [one.name for one in tree.body if isinstance(one, ast.FunctionDef)]
        assert any(one.startswith("test_") for one in defined), name


def test_every_attack_that_was_named_is_covered():
    told = " ".join(row[0] for row in ROWS)
    assert all(number in told for number in ADVISORIES)
    assert [int(row[0].split(":")[0]) for row in ROWS if row[0][0].isdigit()] == [*UNLEARNING]


def test_every_class_of_attack_here_is_named_in_the_model():
    here = {f"tests/attackers/{one.name}" for one in Path(__file__).parent.glob("test_*.py")}
    assert {name for name in here if name not in TEXT} == {
        f"tests/attackers/{Path(__file__).name}"
    }


def test_the_page_has_the_counts_of_a_run():
    page = (ROOT / PAGE).read_text()
    written = page.partition(BEGIN)[2].partition(END)[0]
    counts = {
        attack: int(times.replace(",", ""))
        for attack, times in re.findall(r"^\| ([^|*]+) \| ([\d,]+) \|$", written, re.MULTILINE)
    }
    assert len(counts) > 15
    assert written == table(counts)
