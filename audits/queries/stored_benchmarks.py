"""Benchmarks of the methods that came with this checkout: on its makers' models, not on yours."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from django.conf import settings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FOLDER = "benchmarks/results"
NOISE, UNTOUCHED = "retrain_other_seed", "original"


@dataclass(frozen=True, kw_only=True)
class BenchmarkRow:
    """One method on one problem; numbers are None where they were not measured."""

    method: str
    ret_dev: float | None
    spread: float | None
    rte: float | None
    test_accuracy: float | None


@dataclass(frozen=True, kw_only=True)
class Benchmark:
    """One problem, the method that deviates least first; retraining and doing nothing ahead."""

    problem: str
    file: str
    processor: str
    retained: int
    forgotten: int
    repeated: int
    rows: tuple[BenchmarkRow, ...]


def stored_benchmarks() -> tuple[Benchmark, ...]:
    """Return what ``benchmarks/unlearning.py`` left in the checkout; nothing where it is not."""
    return _read(settings.BASE_DIR / FOLDER)


@cache
def _read(folder: Path) -> tuple[Benchmark, ...]:
    files = sorted(folder.glob("unlearning-*.json"))
    return tuple(one for file in files for one in _of_file(file))


def _of_file(file: Path) -> Iterator[Benchmark]:
    told = json.loads(file.read_text(encoding="utf-8"))
    for cell in told.get("cells", ()):
        rows = cell.get("rows") or ()
        yield Benchmark(
            problem=cell["cell"],
            file=f"{FOLDER}/{file.name}",
            processor=told["machine"].get("processor", ""),
            retained=cell["sizes"]["retain"],
            forgotten=cell["sizes"]["forget"],
            repeated=max((row.get("initialisations", 0) for row in rows), default=0),
            rows=tuple(sorted(map(_row, rows), key=_place)),
        )


def _row(row: dict[str, Any]) -> BenchmarkRow:
    return BenchmarkRow(
        method=row["method"],
        ret_dev=row.get("ret_dev"),
        spread=row.get("ret_dev_spread"),
        rte=row.get("rte"),
        test_accuracy=row.get("test_accuracy"),
    )


def _place(row: BenchmarkRow) -> tuple[bool, float]:
    beside = row.method in ("retrain", NOISE, UNTOUCHED)
    return not beside, row.ret_dev if row.ret_dev is not None else float("inf")
