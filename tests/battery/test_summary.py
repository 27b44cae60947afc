"""What the battery says of itself."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest

from tests.battery.elsewhere import ELSEWHERE
from tests.battery.summary import LIES, NUMBERS, Summary, check_of


def report(name, outcome="passed", when="call", **properties: float):
    return SimpleNamespace(
        nodeid=f"tests/battery/test_x.py::{name}",
        outcome=outcome,
        passed=outcome == "passed",
        when=when,
        capstdout="",
        user_properties=list(properties.items()),
    )


def all_good():
    summary = Summary()
    for name in (*(f"{int(number):02}" for number in NUMBERS), *LIES):
        summary.pytest_runtest_logreport(report(f"test_{name}_holds"))
    return summary


@pytest.mark.parametrize(
    ("node", "check"),
    [
        ("tests/battery/test_01_to_06.py::test_01_null[8]", "1"),
        ("tests/battery/test_12_to_18.py::test_18_time", "18"),
        ("tests/battery/test_lies.py::test_noise_ends", "noise"),
        (f"{ELSEWHERE['12'][0]}[KEEP-6]", "12"),
        ("tests/battery/test_summary.py::test_a_check", None),
    ],
)
def test_a_test_says_by_its_name_which_check_it_belongs_to(node, check):
    assert check_of(node) == check


def test_all_is_good_when_every_check_is():
    assert all_good().good
    assert set(json.loads(all_good().as_json())["checks"].values()) == {"ok"}


def test_a_check_without_a_test_is_missing():
    assert set(Summary().checks().values()) == {"missing"}
    assert not Summary().good


@pytest.mark.parametrize(
    ("outcome", "when", "word"),
    [("failed", "call", "failed"), ("failed", "setup", "failed"), ("skipped", "setup", "missing")],
)
def test_a_check_is_as_good_as_its_worst_test(outcome, when, word):
    summary = all_good()
    summary.pytest_runtest_logreport(report("test_05_another", outcome, when))
    assert summary.checks()["5"] == word
    assert not summary.good


def test_rates_are_told_apart():
    summary = Summary()
    properties = {"false_pass_rate.lying@8": 0.0, "false_fail_rate.retrain@8": 0.01}
    summary.pytest_runtest_logreport(report("test_02_a", **properties))
    found = json.loads(summary.as_json())
    assert found["false_pass_rate"] == {"lying@8": 0.0}
    assert found["false_fail_rate"] == {"retrain@8": 0.01}
