"""Which code made a record: digests of the source of this platform, and of all packages beside it.

``python -m audits.core.bill`` prints both, for comparison with what a record says.
"""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.metadata import distributions
from pathlib import Path

from audits.core.canonical import sha256, write_json

ROOT = Path(__file__).parents[2]
OWN = ("audits", "config", "expunge", "lineage", "unlearning")


@cache
def source_digest() -> str:
    """SHA-256 of the canonical JSON of ``[path, SHA-256]`` of every module of this platform."""
    files = sorted(path for own in OWN for path in (ROOT / own).rglob("*.py"))
    return sha256(write_json([_entry(path) for path in files]))


@cache
def packages_digest() -> str:
    """SHA-256 of the canonical JSON of ``[name, version]`` of every installed package."""
    return sha256(write_json(packages()))


def packages() -> list[list[str]]:
    """Name and version of every installed package, in the order of their names."""
    found = {(one.metadata["Name"] or "").lower(): one.version for one in distributions()}
    return [[name, version] for name, version in sorted(found.items()) if name]


def _entry(path: Path) -> list[str]:
    name = path.relative_to(ROOT).as_posix()
    return [name, hashlib.sha256(path.read_bytes()).hexdigest()]


if __name__ == "__main__":
    print(f"source    {source_digest()}")  # noqa: T201  (a command)
    print(f"packages  {packages_digest()}")  # noqa: T201
