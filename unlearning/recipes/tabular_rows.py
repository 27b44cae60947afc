"""Reading the content of one row of a table.

Messages name columns, never values: what a row holds about a person must not reach a log.
"""

from __future__ import annotations

import csv
import io
import json
import math
from typing import TYPE_CHECKING, Any

from unlearning.core.recipe import UnreadableRecord

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def parsed(content: bytes, columns: Sequence[str]) -> Mapping[str, Any]:
    """Return the fields of a JSON object, or of one line of CSV in the order of ``columns``.

    Raises:
        UnreadableRecord: it is neither, or a column is missing.
    """
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        raise UnreadableRecord("The row is not UTF-8 text.") from None
    row = _json_row(text) if text.lstrip().startswith("{") else _csv_row(text, columns)
    if missing := [name for name in columns if name not in row]:
        raise UnreadableRecord(f"The row has no column {', '.join(missing)}.")
    return row


def _json_row(text: str) -> Mapping[str, Any]:
    try:
        row: dict[str, Any] = json.loads(text)
    except (ValueError, RecursionError):
        raise UnreadableRecord("The row begins like JSON and is no JSON object.") from None
    return row


def _csv_row(text: str, columns: Sequence[str]) -> Mapping[str, str]:
    try:
        lines = list(csv.reader(io.StringIO(text, newline="")))
    except csv.Error:
        lines = []
    if len(lines) != 1 or len(lines[0]) != len(columns):
        raise UnreadableRecord(
            f"The row must be a JSON object, or one line of CSV with {len(columns)} fields: "
            f"{', '.join(columns)}."
        )
    return dict(zip(columns, lines[0], strict=True))


def finite_number(name: str, value: object) -> float:
    """Return the number that a column holds.

    Raises:
        UnreadableRecord: it holds none, or one that is not finite.
    """
    try:
        number = float(value) if isinstance(value, str | int | float) else math.nan
    except (ValueError, OverflowError):
        number = math.nan
    if not math.isfinite(number):
        raise UnreadableRecord(f"The column {name} must hold a finite number, and does not.")
    return number


def one_hot(name: str, value: object, words: Sequence[str]) -> list[float]:
    """Return 1 at the place of ``value`` among ``words`` and 0 elsewhere.

    Raises:
        UnreadableRecord: it is not among them.
    """
    if value not in words:
        raise UnreadableRecord(f"The column {name} must hold one of: {', '.join(words)}.")
    return [float(value == word) for word in words]
