"""Read a table, CSV or Parquet, in which each row is one record of one person."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import rfc8785

from lineage.services.import_rows import Rejection, Row

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FORMATS = {".csv": "csv", ".parquet": "parquet"}


class TableUnreadable(ValueError):
    """The file as a whole cannot be used."""


@dataclass(frozen=True, kw_only=True)
class Columns:
    """Which columns name the record, its owner and its label; all others are its content."""

    key: str
    subject: str
    target: str


def read_table(path: Path, columns: Columns) -> Iterator[Row | Rejection]:
    """Yield one row per record, its content the JSON object of the remaining columns.

    Args:
        path: ``.csv`` with a header, or ``.parquet``; read in batches.
        columns: must be in the table; they are not part of the content.

    Raises:
        TableUnreadable: no such file, not one of the formats, or a column is missing.
    """
    line = 1  # of a CSV file, whose header it is; a Parquet file is counted alike
    for batch in _batches(path, columns):
        for values in batch:
            line += 1
            yield _row(line, values, columns)


def _batches(path: Path, columns: Columns) -> Iterator[list[dict[str, Any]]]:
    from pyarrow import ArrowException, dataset  # noqa: PLC0415  (half a second; only for tables)

    if path.suffix not in FORMATS or not path.is_file():
        raise TableUnreadable(f"{path} is not a file; allowed are {', '.join(FORMATS)} files.")
    try:
        table = dataset.dataset(path, format=FORMATS[path.suffix])
        named = {columns.key, columns.subject, columns.target}
        if missing := sorted(named - set(table.schema.names)):
            known = ", ".join(table.schema.names)
            raise TableUnreadable(f"{path} has no column {', '.join(missing)}; it has {known}.")
        for batch in table.to_batches():
            yield batch.to_pylist()
    except (ArrowException, OSError, UnicodeDecodeError) as error:
        raise TableUnreadable(f"{path} cannot be read as {FORMATS[path.suffix]}.") from error


def _row(line: int, values: dict[str, Any], columns: Columns) -> Row | Rejection:
    key, subject, target = (values.pop(name) for name in _names(columns))
    try:
        content = rfc8785.dumps({name: _plain(value) for name, value in values.items()})
    except rfc8785.CanonicalizationError:
        return Rejection(line=line, sentence="A column holds a value that JSON cannot hold.")
    if key is None or subject is None or target is None:
        return Rejection(line=line, sentence=f"One of {', '.join(_names(columns))} is empty.")
    return Row(
        line=line,
        key=str(key),
        subject=str(subject),
        content=content,
        target=str(target),
        media_type="application/json",
    )


def _names(columns: Columns) -> tuple[str, str, str]:
    return columns.key, columns.subject, columns.target


def _plain(value: Any) -> Any:  # noqa: ANN401  (any cell)
    if isinstance(value, datetime | date):
        return value.isoformat()
    return float(value) if isinstance(value, Decimal) else value
