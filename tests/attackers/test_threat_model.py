"""The threat model names tests that are there, and every attack that it must cover."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path

import pytest
from django.conf import settings

from tests.attackers.__main__ import BEGIN, END, KEPT, PAGE
from tests.attackers.counting import Kept, written
from tests.attackers.model import ROOT, ROWS, TEXT, Row, cases_of
from tests.attackers.site_map import forgeable, framed, from_the_street, of_the_work, with_token

KEPT_RUN: Kept = json.loads((ROOT / KEPT).read_text())
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
    said = {
        name
        for row in ROWS
        if "off by default" in row.remains
        for name in SETTING.findall(row.remains)
    }
    assert said == {*OFF}
    assert {name: getattr(settings, name) for name in OFF} == OFF
    for row in ROWS:  # a defence that is named by what it does, not by its setting
        for word in ("batches", "coarse answers", "the gate", "differential privacy"):
            assert word not in row.defence or "by default" in row.remains, row.attack


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.attack[:40])
def test_every_attack_has_a_defence_and_a_test_that_is_there(row):
    assert row.attack
    assert defends(row.defence), row.attack
    assert row.files, row.attack
    for name in row.files:
        tree = ast.parse((ROOT / name).read_text())
        defined = [one.name for one in tree.body if isinstance(one, ast.FunctionDef)]
        assert any(one.startswith("test_") for one in defined), name


def test_every_attack_that_was_named_is_covered():
    told = " ".join(row.attack for row in ROWS)
    assert all(number in told for number in ADVISORIES)
    assert [int(row.attack.split(":")[0]) for row in ROWS if row.attack[0].isdigit()] == [
        *UNLEARNING
    ]


def test_every_class_of_attack_here_is_named_in_the_model():
    here = {f"tests/attackers/{one.name}" for one in Path(__file__).parent.glob("test_*.py")}
    assert {name for name in here if name not in TEXT} == {
        f"tests/attackers/{Path(__file__).name}"
    }


def test_the_page_has_the_counts_of_the_run_that_was_kept():
    page = (ROOT / PAGE).read_text()
    assert page.partition(BEGIN)[2].partition(END)[0] == written(KEPT_RUN)


def test_the_run_that_was_kept_tried_the_addresses_of_today():
    by_the_map = {
        "addresses asked without signing in": len(from_the_street()),
        "addresses asked by staff without a role": len(of_the_work()),
        "forged posts": len(forgeable()),
        "pages framed": len(framed()),
        "tokens looked for in logs": len(with_token()),
    }
    kept = {name: KEPT_RUN["tried"][name] for name in by_the_map}
    assert kept == by_the_map, "the map has changed: python -m tests.attackers"


def test_the_run_that_was_kept_counted_every_class():
    calls = [
        call
        for file in Path(__file__).parent.glob("test_*.py")
        for call in ast.walk(ast.parse(file.read_text()))
        if isinstance(call, ast.Call) and ast.unparse(call.func) == "tried"
    ]
    named = {one.value for call in calls if isinstance(one := call.args[0], ast.Constant)}
    assert len(calls) > 20
    assert named == KEPT_RUN["tried"].keys()
    assert list(KEPT_RUN["elsewhere"]) == [row.attack for row in ROWS if row.elsewhere]
    assert min([*KEPT_RUN["tried"].values(), *KEPT_RUN["elsewhere"].values()]) >= 1


def test_a_test_that_says_the_number_of_its_attack_counts_for_no_other():
    row = Row("6: x", "", "`tests/a.py`, `tests/b.py`, `tests/attackers/c.py`", "")
    collected = {
        "tests/a.py": ["a::test_threat_6_x[1]", "a::test_threat_6_x[2]", "a::test_threat_60_x"],
        "tests/b.py": ["b::test_x", "b::test_y"],
        "tests/attackers/c.py": ["c::test_z"],
    }
    assert cases_of(row, collected) == 4
