"""Write a file anew in the place of the old one: whole or not at all."""

from __future__ import annotations

import csv
import uuid
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lineage.core.places import LocationNotReachable
from lineage.core.worded import worded

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@dataclass(frozen=True, kw_only=True)
class Rows:
    """How many rows a file had before it was rewritten, and how many were left out."""

    before: int
    removed: int


@contextmanager
def replacing(fs: Any, path: str) -> Iterator[str]:  # noqa: ANN401  (an fsspec file system)
    """Yield the name of a new file beside ``path``, which takes its place at the end.

    On a local disk that is one rename; on an object store the new object replaces the old at once.

    Raises:
        LocationNotReachable: the old file was changed meanwhile; it is left as it is.
    """
    beside = f"{path}.{uuid.uuid4().hex}.new"
    before = _state(fs, path)
    try:
        yield beside
        if _state(fs, path) != before:
            raise LocationNotReachable(
                worded(
                    "A file was written by somebody else while it was rewritten. Nothing of it "
                    "was changed; try again when nobody writes."
                )
            )
        fs.mv(beside, path)
    finally:
        fs.invalidate_cache()
        if fs.exists(beside):
            fs.rm(beside)


def _state(fs: Any, path: str) -> tuple[object, ...]:  # noqa: ANN401  (an fsspec file system)
    fs.invalidate_cache()
    info = fs.info(path)
    return tuple(info.get(name) for name in ("size", "mtime", "ETag", "LastModified", "created"))


def csv_column(fs: Any, path: str, column: str) -> int:  # noqa: ANN401  (an fsspec file system)
    """Return the place of a column of a CSV file. Raises LocationNotReachable if there is none."""
    header = next(_every_row(fs, path), [])
    if column not in header:
        raise LocationNotReachable(
            worded("A CSV file has no column %(column)s.", column=repr(column))
        )
    return header.index(column)


def csv_rows(fs: Any, path: str) -> Iterator[list[str]]:  # noqa: ANN401  (an fsspec file system)
    """Yield the rows of a CSV file (UTF-8, commas) below its header."""
    rows = _every_row(fs, path)
    next(rows, None)
    yield from rows


def without_rows(fs: Any, path: str, gone: Callable[[list[str]], bool]) -> Rows:  # noqa: ANN401
    """Rewrite a CSV file without some rows, unless there are none; the others keep their values.

    Raises:
        LocationNotReachable: the new file does not hold as many rows as it should.
    """
    before = removed = 0
    for row in csv_rows(fs, path):
        before += 1
        removed += gone(row)
    if removed:
        with replacing(fs, path) as beside:
            _copy(fs, path, beside, gone)
            check_rows(sum(1 for _ in csv_rows(fs, beside)), before - removed)
    return Rows(before=before, removed=removed)


def _copy(fs: Any, path: str, beside: str, gone: Callable[[list[str]], bool]) -> None:  # noqa: ANN401
    with fs.open(path, "rb") as old:
        ending = "\r\n" if old.readline().endswith(b"\r\n") else "\n"
    header = next(_every_row(fs, path))
    with fs.open(beside, "wt", encoding="utf-8", newline="") as new:
        writer = csv.writer(new, lineterminator=ending)
        writer.writerow(header)
        writer.writerows(row for row in csv_rows(fs, path) if not gone(row))


def _every_row(fs: Any, path: str) -> Iterator[list[str]]:  # noqa: ANN401  (an fsspec file system)
    with fs.open(path, "rt", encoding="utf-8-sig", newline="") as file:
        yield from csv.reader(file)


def check_rows(found: int, expected: int) -> None:
    """Refuse a new file that lost or gained a row. Raises LocationNotReachable."""
    if found != expected:
        raise LocationNotReachable(
            worded(
                "The rewritten file has %(found)s rows and should have %(expected)s; the old one "
                "stays.",
                found=found,
                expected=expected,
            )
        )
