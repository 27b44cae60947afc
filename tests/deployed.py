"""The files of ``deploy/``, read."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[1]
DEPLOY = ROOT / "deploy"
YAML = sorted(DEPLOY.rglob("*.yaml"))
RUNBOOK = (ROOT / "docs" / "runbook.md").read_text()
OPERATIONS = (ROOT / "docs" / "operations.md").read_text()
# Of others: of the image of PostgreSQL, and Prometheus' own.
THEIRS, OF_PROMETHEUS = {"POSTGRES_PASSWORD", "POSTGRES_USER", "POSTGRES_DB"}, {"up"}


@cache
def documents(path: Path) -> list[Any]:
    return list(yaml.safe_load_all(path.read_text()))


def walk(value: Any) -> Iterator[Any]:  # noqa: ANN401
    yield value
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for each in inner:
        yield from walk(each)


def compose() -> dict[str, Any]:
    found: list[dict[str, Any]] = documents(DEPLOY / "compose.yaml")
    return found[0]


def manifests() -> list[Any]:
    return [one for path in YAML if path.parent.name == "kubernetes" for one in documents(path)]


def containers() -> Iterator[tuple[str, dict[str, Any]]]:
    for one in manifests():
        for each in walk(one):
            if isinstance(each, dict) and "containers" in each:
                yield from ((one["kind"], container) for container in each["containers"])
