"""What the battery says at its end: every check, every rate, one line of JSON."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.battery.elsewhere import ELSEWHERE

if TYPE_CHECKING:
    import pytest

OK, FAILED, MISSING = "ok", "failed", "missing"
PASS_RATE, FAIL_RATE = "false_pass_rate", "false_fail_rate"
NUMBERS = tuple(str(number) for number in range(1, 19))
LIES = ("lying", "over_forgetting", "noise", "score_matching", "neighbourhood_matching")
_NAME = re.compile(rf"test_(?:(\d\d)|({'|'.join(LIES)}))_")


def check_of(node: str) -> str | None:
    """Return the check that a test belongs to: its number, or the name of a lie."""
    test = node.split("[", maxsplit=1)[0]
    for number, nodes in ELSEWHERE.items():
        if test in nodes:
            return number
    found = _NAME.match(test.rpartition("::")[2])
    if not found:
        return None
    return str(int(found[1])) if found[1] else found[2]


@dataclass(eq=False)  # pytest keeps its plugins in a set
class Summary:
    """A plugin of pytest for outcomes and rates; a check is as good as its worst test."""

    outcomes: dict[str, set[str]] = field(default_factory=dict)
    rates: dict[str, dict[str, float]] = field(
        default_factory=lambda: {PASS_RATE: {}, FAIL_RATE: {}}
    )
    lines: list[str] = field(default_factory=list)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note how a test went; a skipped one is missing."""
        check = check_of(report.nodeid)
        if check is None or (report.when != "call" and report.passed):
            return
        words = {"passed": OK, "failed": FAILED, "skipped": MISSING}
        self.outcomes.setdefault(check, set()).add(words[report.outcome])
        self.lines += [line for line in report.capstdout.splitlines() if line]
        for name, value in report.user_properties:
            kind, _, of = name.partition(".")
            self.rates[kind][of] = float(str(value))

    def checks(self) -> dict[str, str]:
        """Return every check's outcome; one without a test is missing."""
        return {check: self._worst(check) for check in (*NUMBERS, *LIES)}

    def _worst(self, check: str) -> str:
        found = self.outcomes.get(check, {MISSING})
        return next(outcome for outcome in (FAILED, MISSING, OK) if outcome in found)

    def as_json(self) -> str:
        said: dict[str, Any] = {"checks": self.checks(), **self.rates}
        return json.dumps(said)

    @property
    def good(self) -> bool:
        return set(self.checks().values()) == {OK}
