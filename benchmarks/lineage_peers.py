"""One graph, made from a fixed seed, entered by every system: who is right, how big, how fast.

    python benchmarks/lineage.py --peers --json [--quick] [--python310 PATH]

ML Metadata and MLflow run in virtual environments of their own, with pinned versions; what cannot
run here is reported as skipped, with the reason. The records themselves are not counted.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.environments import NotAvailable, environment, interpreter, own_interpreter
from benchmarks.installation import in_one
from benchmarks.peers.graph import Size, made, scored
from benchmarks.timing import tail

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).resolve().parents[1]
_MINUTES = 3  # for one system
_ML_METADATA = ("ml-metadata==1.17.1",)
_MLFLOW = (
    "mlflow-skinny==3.17.2",
    "sqlalchemy==2.1.9",
    "alembic==1.20.1",
    "numpy==2.4.6",
    "pandas==3.1.1",
)


def peers(*, quick: bool = False, python310: str = "") -> dict[str, Any]:
    """Return for each system recall and precision first, then bytes, edges and times."""
    graph = made(Size.tenth() if quick else Size())
    systems: dict[str, Callable[[str], dict[str, Any]]] = {
        "expunge_sqlite": lambda path: _here("sqlite", "ours", path),
        "expunge_postgresql": lambda path: _here("postgresql", "ours", path),
        "django_many_to_many_sqlite": lambda path: _here("sqlite", "with_django", path),
        "django_many_to_many_postgresql": lambda path: _here("postgresql", "with_django", path),
        "networkx": lambda path: _apart(Path(sys.executable), "with_networkx", path),
        "marquez_query_shape": lambda path: _here("postgresql", "marquez_shape", path),
        "ml_metadata": lambda path: _apart(_ml_metadata(python310), "with_ml_metadata", path),
        "mlflow_with_manifest": lambda path: _apart(
            environment("mlflow", own_interpreter(), _MLFLOW), "with_mlflow", path
        ),
    }
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "graph.json"
        path.write_text(json.dumps(graph), encoding="utf-8")
        found = {name: entered(name, ask, str(path), graph) for name, ask in systems.items()}
    return {
        "graph": {
            "records": graph["records"],
            "snapshots": len(graph["snapshots"]),
            "runs": len(graph["runs"]),
            "edges": graph["edges"],
            "questions": {name: len(lists) for name, lists in graph["questions"].items()},
        },
        **found,
    }


def entered(
    name: str, measure: Callable[[str], dict[str, Any]], path: str, graph: dict[str, Any]
) -> dict[str, Any]:
    """Let one system answer, and judge its answers; what cannot run here is skipped."""
    print(f"peers: {name}", file=sys.stderr, flush=True)
    try:
        found = measure(path)
    except NotAvailable as reason:
        return {"skipped": str(reason)}
    answers, times = found.pop("answers"), found.pop("times_ms")
    truth = graph["truth"]
    everything = scored(
        [answer for kind in truth for answer in answers[kind]],
        [answer for kind in truth for answer in truth[kind]],
    )
    return {
        **everything,
        **found,
        **{kind: {**scored(answers[kind], truth[kind]), **tail(times[kind])} for kind in answers},
    }


def _ml_metadata(named: str) -> Path:
    return environment("ml-metadata", interpreter("3.10", named), _ML_METADATA)


def _here(engine: str, driver: str, path: str) -> dict[str, Any]:
    return in_one(engine, f"benchmarks.peers.{driver}:run", {"path": path})


def _apart(python: Path, driver: str, path: str) -> dict[str, Any]:
    """Run a driver as a program of its own, with an interpreter that need not have Django."""
    try:
        done = subprocess.run(  # noqa: S603
            [str(python), "-m", f"benchmarks.peers.{driver}", path],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": ""},
            capture_output=True,
            text=True,
            check=False,
            timeout=60 * _MINUTES,
        )
    except subprocess.TimeoutExpired as error:
        raise NotAvailable(f"it took longer than {_MINUTES} minutes") from error
    if done.returncode:
        raise NotAvailable((done.stderr.strip() or "no words").splitlines()[-1])
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found
