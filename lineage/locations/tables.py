"""Rows of Parquet and CSV files, which are rewritten without the person's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import fsspec
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from lineage.core.place_secrets import store_options
from lineage.core.place_settings import SECRET, SECRET_WORDS, STORE, STORE_WORDS, Setting
from lineage.core.places import Erased, Found, LocationNotReachable, Person, Place
from lineage.core.rewriting_files import check_rows, csv_column, csv_rows, replacing, without_rows
from lineage.core.worded import worded
from lineage.grounds import keep_off


@dataclass(frozen=True, kw_only=True)
class Tables(Place):
    """Rows whose ``column`` is an identifier, in Parquet or CSV files (UTF-8, commas).

    A file is written anew beside the old one, its rows are counted, and then it takes the old
    one's place. In Parquet, schema, metadata and compression stay; in CSV, values stay, and quotes
    may not.
    """

    title: ClassVar[str] = "Rows of Parquet or CSV files"

    pattern: Annotated[
        str,
        Setting(
            "address of the files, which may hold * and ?",
            pattern=STORE + r"[^\0]+\.(parquet|csv)",
            allowed=f"an address that ends in .parquet or .csv, {STORE_WORDS}",
        ),
    ]
    column: Annotated[str, Setting("the column that names the person")]
    options_from: Annotated[
        str,
        Setting(
            "the variable with options of the store, as JSON", pattern=SECRET, allowed=SECRET_WORDS
        ),
    ] = ""

    def _find(self, person: Person) -> Found:
        fs, paths = self._files()
        return Found(count=sum(self._count(fs, path, person) for path in paths))

    def _count(self, fs: Any, path: str, person: Person) -> int:  # noqa: ANN401  (as in core)
        if path.endswith(".csv"):
            at = csv_column(fs, path, self.column)
            return sum(_names(row, at, person) for row in csv_rows(fs, path))
        with fs.open(path, "rb") as file, self._parquet(file) as table:
            return sum(
                pc.sum(_named(batch.column(0), person)).as_py() or 0
                for batch in table.iter_batches(columns=[self.column])
            )

    def _erase(self, person: Person) -> Erased:
        fs, paths = self._files()
        return Erased(count=sum(self._rewrite(fs, path, person) for path in paths))

    def _rewrite(self, fs: Any, path: str, person: Person) -> int:  # noqa: ANN401  (as in core)
        if path.endswith(".csv"):
            at = csv_column(fs, path, self.column)
            return without_rows(fs, path, lambda row: _names(row, at, person)).removed
        removed = self._count(fs, path, person)
        if removed:
            with replacing(fs, path) as beside, fs.open(path, "rb") as file:
                with self._parquet(file) as table:
                    self._copy(table, fs, beside, person)
                    before = table.metadata.num_rows
                with fs.open(beside, "rb") as new, pq.ParquetFile(new) as written:
                    check_rows(written.metadata.num_rows, before - removed)
        return removed

    def _copy(self, table: Any, fs: Any, beside: str, person: Person) -> None:  # noqa: ANN401
        compression = table.metadata.row_group(0).column(0).compression
        with (
            fs.open(beside, "wb") as new,
            pq.ParquetWriter(new, table.schema_arrow, compression=compression) as writer,
        ):
            for group in range(table.num_row_groups):
                rows = table.read_row_group(group)
                kept = pc.invert(_named(rows.column(self.column), person))
                writer.write_table(rows.filter(kept))

    def _parquet(self, file: Any) -> Any:  # noqa: ANN401  (pyarrow has no types)
        table = pq.ParquetFile(file)
        if self.column not in table.schema_arrow.names:
            raise LocationNotReachable(
                worded("A Parquet file has no column %(column)s.", column=repr(self.column))
            )
        return table

    def _reach(self) -> str:
        _, paths = self._files()
        return f"There are {len(paths)} files."

    def _files(self) -> tuple[Any, list[str]]:
        fs, pattern = fsspec.core.url_to_fs(self.pattern, **store_options(self.options_from))
        fs.invalidate_cache()
        paths = [path for path in fs.glob(pattern) if fs.isfile(path)]
        if not paths:
            raise LocationNotReachable(worded("No file matches the pattern."))
        keep_off(fs, paths)
        return fs, paths


def _names(row: list[str], at: int, person: Person) -> bool:
    return len(row) > at and person.is_named(row[at])


def _named(values: Any, person: Person) -> Any:  # noqa: ANN401  (pyarrow has no types)
    """Return, for each value of a column, whether it is an identifier; of a null it is not."""
    texts = pc.utf8_lower(pc.utf8_trim_whitespace(pc.cast(values, pa.string())))
    texts = pc.utf8_normalize(texts, form="NFC")
    return pc.is_in(texts, value_set=pa.array(person.folded, pa.string()))
