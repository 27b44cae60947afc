"""The files of ``deploy/``, read."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[1]
DEPLOY = ROOT / "deploy"
RUNBOOK = (ROOT / "docs" / "runbook.md").read_text()
OPERATIONS = (ROOT / "docs" / "operations.md").read_text()
# Of others: of the image of PostgreSQL, and Prometheus' own.
THEIRS, OF_PROMETHEUS = {"POSTGRES_PASSWORD", "POSTGRES_USER", "POSTGRES_DB"}, {"up"}


@cache
def documents(path: Path) -> list[Any]:
    return list(yaml.safe_load_all(path.read_text()))
