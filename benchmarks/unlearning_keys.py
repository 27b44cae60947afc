"""What makes a kept row of the benchmark stale: other code or other data."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from unlearning.core.examples import Held

ROOT = Path(__file__).parents[1]
SHARED = (
    "unlearning/core/**/*.py",
    "unlearning/recipes/*.py",
    "unlearning/methods/__init__.py",
    "benchmarks/unlearning_models.py",
    "benchmarks/unlearning_rows.py",
)


def sources(method: str = "", root: Path = ROOT) -> str:
    """Return the SHA-256, in hex, of the code that a row depends on.

    That is everything that methods share, what measures them, and the file of this ``method``
    alone, so that work on one method leaves the rows of the others standing.
    """
    digest = hashlib.sha256()
    for pattern in (*SHARED, *([f"unlearning/methods/{method}.py"] if method else [])):
        for path in sorted(root.glob(pattern)):
            name = path.relative_to(root).as_posix()
            digest.update(f"{name} {hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return digest.hexdigest()


def content(examples: Held) -> str:
    """Return the SHA-256, in hex, of every input and target."""
    inputs, targets = examples.all()
    digest = hashlib.sha256(f"{inputs.dtype} {tuple(inputs.shape)}".encode())
    digest.update(inputs.numpy().tobytes() + targets.numpy().tobytes())
    return digest.hexdigest()
