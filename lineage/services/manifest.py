"""Read a manifest: CSV with the header ``key,subject,path,target``, or Parquet with such columns.

Paths are relative to the manifest and must stay in its folder. A manifest without the column
``path`` registers records for their lineage alone: their content stays where it is. Optional are
also ``target``, ``kind`` (EMAIL, which is assumed, or EXTERNAL), ``media_type`` and ``location``
(where the source keeps the record). In CSV comma, semicolon or tab separate; UTF-8 is assumed, and
a byte order mark is obeyed.
"""

from __future__ import annotations

import codecs
import csv
from typing import TYPE_CHECKING

from lineage.core.identifiers import EMAIL
from lineage.services.import_rows import Rejection, Row, RowRefused

if TYPE_CHECKING:
    import io
    from collections.abc import Iterator
    from pathlib import Path

REQUIRED = ("key", "subject")
OPTIONAL = ("path", "target", "kind", "media_type", "location")
_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_LONGEST_MARK = 3


class ManifestUnreadable(ValueError):
    """The manifest as a whole cannot be used."""


def read_manifest(path: Path, *, encoding: str = "") -> Iterator[Row | Rejection]:
    """Yield the rows of a manifest, and the reason against each row that is not usable.

    Args:
        path: the CSV file.
        encoding: overrides the byte order mark and UTF-8; for example ``cp1252``.

    Raises:
        ManifestUnreadable: no such file, unknown encoding, or not the right header.
    """
    if path.suffix == ".parquet":
        yield from _parquet(path)
        return
    chosen = encoding
    try:
        with path.open("rb") as file:
            chosen = codecs.lookup(encoding or _marked(file.read(_LONGEST_MARK))).name
        # What is not in this encoding becomes a lone surrogate, for which its row is refused.
        with path.open(encoding=chosen, errors="surrogateescape", newline="") as text:
            yield from _rows(text, path)
    except LookupError as error:
        raise ManifestUnreadable(f"The encoding {encoding!r} is not known.") from error
    except UnicodeError as error:
        raise ManifestUnreadable(f"{path} is not in the encoding {chosen}.") from error
    except OSError as error:
        raise ManifestUnreadable(f"{path} cannot be read: {error.strerror}.") from error


def _parquet(path: Path) -> Iterator[Row | Rejection]:
    from pyarrow import ArrowException, parquet  # noqa: PLC0415  (half a second; only where asked)

    line, folder = 1, path.parent.resolve()  # counted as in a CSV file, whose header is line 1
    try:
        with parquet.ParquetFile(path) as table:
            columns = _known_columns(table.schema_arrow.names, path)
            for batch in table.iter_batches(columns=columns):
                for values in batch.to_pylist():
                    line += 1
                    yield _parquet_row(line, values, folder)
    except (ArrowException, OSError, UnicodeDecodeError) as error:
        raise ManifestUnreadable(f"{path} cannot be read as Parquet.") from error


def _known_columns(names: list[str], path: Path) -> list[str]:
    if not set(REQUIRED) <= set(names):
        raise ManifestUnreadable(
            f"{path} has the columns {', '.join(names)}; needed are {' and '.join(REQUIRED)}."
        )
    return [name for name in names if name in (*REQUIRED, *OPTIONAL)]


def _parquet_row(line: int, values: dict[str, object], folder: Path) -> Row | Rejection:
    try:
        texts = {name: "" if cell is None else str(cell) for name, cell in values.items()}
        return _record(line, texts, folder)
    except RowRefused as refusal:
        return Rejection(line=line, sentence=str(refusal))


def _marked(head: bytes) -> str:
    return next((name for mark, name in _MARKS.items() if head.startswith(mark)), "utf-8")


def _rows(text: io.TextIOBase, path: Path) -> Iterator[Row | Rejection]:
    columns, delimiter = _columns(text.readline(), path)
    reader = csv.reader(text, delimiter=delimiter, strict=True)
    folder = path.parent.resolve()
    while True:
        line = reader.line_num + 2  # the header is line 1
        try:
            cells = next(reader)
            if cells:  # a blank line is no row
                yield _row(line, columns, cells, folder)
        except StopIteration:
            return
        except (csv.Error, RowRefused) as error:
            yield Rejection(line=line, sentence=_sentence(error))


def _sentence(error: Exception) -> str:
    return str(error) if isinstance(error, RowRefused) else f"The row is not valid CSV: {error}."


def _columns(header: str, path: Path) -> tuple[list[str], str]:
    for delimiter in ",;\t":
        names = [name.strip().lower() for name in header.strip("\r\n").split(delimiter)]
        columns = [name.strip('"') for name in names]
        if set(REQUIRED) <= set(columns) <= {*REQUIRED, *OPTIONAL} and len(columns) == len(
            set(columns)
        ):
            return columns, delimiter
    raise ManifestUnreadable(
        f"The first line of {path} is not a header: needed are the columns "
        f"{' and '.join(REQUIRED)}, allowed are also {', '.join(OPTIONAL)}."
    )


def _row(line: int, columns: list[str], cells: list[str], folder: Path) -> Row:
    if len(cells) != len(columns):
        raise RowRefused(f"The row has {len(cells)} columns; the header has {len(columns)}.")
    if any(not cell.isascii() and _foreign(cell) for cell in cells):
        raise RowRefused("The row is not in the encoding of the manifest; name it explicitly.")
    return _record(line, dict(zip(columns, (cell.strip() for cell in cells), strict=True)), folder)


def _foreign(cell: str) -> bool:
    """Say whether a cell holds bytes that were not in the encoding."""
    return any("\udc80" <= letter <= "\udcff" for letter in cell)


def _record(line: int, values: dict[str, str], folder: Path) -> Row:
    return Row(
        line=line,
        key=values["key"],
        subject=values["subject"],
        content=_inside(folder, values["path"]) if "path" in values else None,
        target=values.get("target", ""),
        media_type=values.get("media_type", ""),
        kind=values.get("kind", "").upper() or EMAIL,
        location=values.get("location", ""),
    )


def _inside(folder: Path, relative: str) -> Path:
    if not relative or "\0" in relative:
        raise RowRefused("The path of the row is empty or holds a NUL character.")
    path = (folder / relative).resolve()
    if not path.is_relative_to(folder):
        raise RowRefused("The path of the row leads out of the folder of the manifest.")
    return path
