"""Run the battery: ``python -m tests.battery [--quick]``.

Draws 200 experiments for each rate, or 40, prints what they found, and ends with a line of JSON.
The exit code is 1 if a check failed or is missing.
"""

from __future__ import annotations

import argparse
import os
import sys

import pytest

from tests.battery.elsewhere import ELSEWHERE
from tests.battery.summary import Summary

RUNS, QUICK = 200, 40


def main(arguments: list[str] | None = None) -> int:
    """Run every check; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.battery", description=__doc__)
    parser.add_argument("--quick", action="store_true", help=f"{QUICK} draws instead of {RUNS}")
    quick = parser.parse_args(arguments).quick
    os.environ["BATTERY_RUNS"] = str(QUICK if quick else RUNS)
    summary = Summary()
    nodes = [node for nodes in ELSEWHERE.values() for node in nodes]
    options = ["-q", "-p", "no:randomly", "-p", "no:cacheprovider", "-n0"]
    code = pytest.main([*options, "tests/battery", *nodes], plugins=[summary])
    print("\n".join(summary.lines))
    for check, outcome in summary.checks().items():
        print(f"check {check}: {outcome}")
    print(summary.as_json())
    return 0 if code == 0 and summary.good else 1


if __name__ == "__main__":
    sys.exit(main())
