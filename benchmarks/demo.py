"""``python -m benchmarks.demo``: how long the main job takes from an empty installation.

Prints one JSON object: the machine, the wall time of ``manage.py demo`` and of its second run
(which does no work), what each run of a method cost, and, side by side in the same run, the
cost of the approximate method as a ratio to retraining the same version.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.machine import machine

ROOT = Path(__file__).resolve().parents[1]


def main() -> None:
    """Measure and print."""
    found: dict[str, Any] = {"machine": machine()}
    with tempfile.TemporaryDirectory() as home:
        found["seconds"], result = demo(home)
        found["seconds_again"], _ = demo(home)
    found["runs"] = [
        {name: run[name] for name in ("version_name", "method", "verdict", "seconds")}
        for run in result["runs"]
    ]
    first = result["runs"][0]
    found["approximate_to_retrain_ratio"] = (
        round(first["seconds"] / first["retrain_seconds"], 3) if first["retrain_seconds"] else None
    )
    print(json.dumps(found, indent=2))


def demo(home: str) -> tuple[float, dict[str, Any]]:
    """Run the demo in ``home``; return its wall time and what it printed."""
    started = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "manage.py", "demo", "--json"],
        cwd=ROOT,
        env={**os.environ, "EXPUNGE_HOME": home, "EXPUNGE_KEYS": f"{home}/keys"},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    seconds = round(time.perf_counter() - started, 1)
    return seconds, json.loads(done.stdout.splitlines()[-1])


if __name__ == "__main__":
    main()
