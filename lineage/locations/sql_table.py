"""Rows of a table of another database."""

from __future__ import annotations

import secrets
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from sqlalchemy import MetaData, NullPool, String, Table, cast, create_engine, func, select

from lineage.core.place_secrets import secret
from lineage.core.place_settings import NAME, SECRET, SECRET_WORDS, Setting, SettingRefused
from lineage.core.places import Erased, Found, LocationNotReachable, Person, Place
from lineage.core.worded import worded, worded_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection

COLUMN = Setting("a column", pattern=NAME, allowed="the name of a column")


@dataclass(frozen=True, kw_only=True)
class SqlTable(Place):
    """Rows whose ``column`` is an identifier, in any database that SQLAlchemy can open.

    The address with its password lies in an environment variable, which ``url_from`` names.
    Identifiers travel as bound parameters; table and columns are quoted by SQLAlchemy.
    """

    title: ClassVar[str] = "Rows of an SQL table"

    url_from: Annotated[
        str,
        Setting("the variable with the SQLAlchemy URL", pattern=SECRET, allowed=SECRET_WORDS),
    ]
    table: Annotated[
        str, Setting("name of the table", pattern=NAME, allowed="the name of a table")
    ]
    column: Annotated[
        str, Setting("the column that names the person", pattern=NAME, allowed="a column's name")
    ]
    schema: Annotated[
        str, Setting("schema of the table, if not the default", pattern=NAME, allowed="a name")
    ] = ""
    mask: Annotated[tuple[str, ...], COLUMN] = ()

    def __post_init__(self) -> None:
        if self.mask and self.column not in self.mask:
            raise SettingRefused(
                worded_of(
                    "mask",
                    "It is %(mask)s; allowed are lists that hold %(column)s, by which the "
                    "row would still name the person.",
                    mask=", ".join(self.mask),
                    column=repr(self.column),
                )
            )

    def _find(self, person: Person) -> Found:
        with self._opened() as (connection, table):
            rows = select(func.count()).select_from(table).where(self._named(table, person))
            return Found(count=connection.execute(rows).scalar_one())

    def _erase(self, person: Person) -> Erased:
        with self._opened() as (connection, table):
            named = self._named(table, person)
            if not self.mask:
                return Erased(count=connection.execute(table.delete().where(named)).rowcount)
            blank = {name: _blank(table, name) for name in self.mask}
            done = connection.execute(table.update().where(named).values(blank))
            return Erased(count=done.rowcount, how=self.how)

    def _reach(self) -> str:
        with self._opened() as (connection, table):
            count = connection.execute(select(func.count()).select_from(table)).scalar_one()
        return f"The table {self.table} holds {count} rows."

    def _named(self, table: Table, person: Person) -> Any:  # noqa: ANN401  (an SQL expression)
        # A database may know lower case of ASCII alone, so both spellings are asked for.
        spelled = [*person.folded, *person.identifiers]
        value = func.trim(cast(table.c[self.column], String))
        return func.lower(value).in_(spelled) | value.in_(spelled)

    @contextmanager
    def _opened(self) -> Iterator[tuple[Connection, Table]]:
        """Yield a connection in a transaction, and the table as the database describes it."""
        engine = create_engine(secret(self.url_from), poolclass=NullPool, hide_parameters=True)
        with engine.begin() as connection:
            if engine.dialect.name == "sqlite":  # or deleted rows stay readable in free pages
                connection.exec_driver_sql("PRAGMA secure_delete=ON")
            table = Table(
                self.table, MetaData(), schema=self.schema or None, autoload_with=connection
            )
            for name in (self.column, *self.mask):
                if name not in table.c:
                    known = ", ".join(table.c.keys())
                    raise LocationNotReachable(
                        worded(
                            "The table %(table)s has no column %(name)s; it has %(known)s.",
                            table=self.table,
                            name=repr(name),
                            known=known,
                        )
                    )
            yield connection, table


def _blank(table: Table, name: str) -> object:
    return None if table.c[name].nullable else f"masked-{secrets.token_hex(8)}"
