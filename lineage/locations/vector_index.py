"""Vectors of a sqlite-vec index."""

from __future__ import annotations

import sqlite3
from contextlib import closing, contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar

from fsspec.implementations.local import LocalFileSystem

from lineage.core.place_settings import NAME, Setting
from lineage.core.places import Erased, Found, LocationNotReachable, Person, Place
from lineage.core.worded import worded
from lineage.grounds import keep_off

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, kw_only=True)
class VectorIndex(Place):
    """Rows of a ``vec0`` table of sqlite-vec whose metadata ``column`` is an identifier.

    An index that merely marks a vector as deleted still holds it. Here the row is deleted with
    ``secure_delete`` on, and the journal is emptied into the file, so neither the vector nor the
    identifier can be read from the file afterwards. Needs the extra ``vectors``.
    """

    title: ClassVar[str] = "Vectors of a sqlite-vec index"

    path: Annotated[
        str,
        Setting(
            "the file of the index",
            pattern=r"/[^\0]+",
            allowed="the whole path of a file, from the root",
        ),
    ]
    table: Annotated[
        str, Setting("name of the vec0 table", pattern=NAME, allowed="a table's name")
    ]
    column: Annotated[
        str, Setting("the column that names the person", pattern=NAME, allowed="a column's name")
    ]

    def _find(self, person: Person) -> Found:
        with self._opened() as connection:
            rows = self._rows(connection, person)
        return Found(count=len(rows), handle=tuple(rows))

    def _erase(self, person: Person) -> Erased:
        with self._opened() as connection:
            rows = self._rows(connection, person)
            connection.executemany(
                f'DELETE FROM "{self.table}" WHERE rowid = ?',  # noqa: S608  (NAME is checked)
                [(row,) for row in rows],
            )
            connection.commit()
            if rows:  # what was written before secure_delete was on goes too
                connection.execute("VACUUM")
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return Erased(count=len(rows))

    def _rows(self, connection: sqlite3.Connection, person: Person) -> list[int]:
        question = f'SELECT rowid, "{self.column}" FROM "{self.table}"'  # noqa: S608  (as above)
        return [row for row, owner in connection.execute(question) if person.is_named(owner)]

    def _reach(self) -> str:
        with self._opened() as connection:
            question = f'SELECT count("{self.column}") FROM "{self.table}"'  # noqa: S608  (as above)
            (count,) = connection.execute(question).fetchone()
        return f"The index {self.table} holds {count} vectors with a {self.column}."

    @contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        try:
            sqlite_vec = import_module("sqlite_vec")
        except ImportError:
            raise LocationNotReachable(
                worded(
                    'sqlite-vec is not installed. Run in the checkout: pip install -e ".[vectors]"'
                )
            ) from None
        if not Path(self.path).is_file():
            raise LocationNotReachable(worded("The file of the index is not there."))
        keep_off(LocalFileSystem(), [self.path])
        with closing(sqlite3.connect(self.path, timeout=30)) as connection:
            connection.enable_load_extension(True)  # noqa: FBT003  (positional in sqlite3)
            sqlite_vec.load(connection)
            connection.enable_load_extension(False)  # noqa: FBT003  (as above)
            connection.execute("PRAGMA secure_delete=ON")
            yield connection
