"""What a database is made of, in a form in which two ways to make it can be compared.

The order of columns is left out. SQLite moves a column to the end of its table when a migration
alters it, and on either engine a later column comes behind those that were there.
"""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import psycopg

if TYPE_CHECKING:
    from pathlib import Path

    Part = tuple[str, ...]

_NO_QUOTES = str.maketrans("", "", '"')
_CATALOGUE = {
    "column": """
        SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
            a.attidentity, a.attstorage, a.attcollation::regcollation,
            pg_get_expr(d.adbin, d.adrelid)
        FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
        LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
        WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace
            AND a.attnum > 0 AND NOT a.attisdropped
    """,
    "constraint": """
        SELECT conrelid::regclass, conname, pg_get_constraintdef(oid), convalidated
        FROM pg_constraint WHERE connamespace = 'public'::regnamespace
    """,
    "index": """
        SELECT pg_get_indexdef(i.indexrelid), c.reloptions
        FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
        WHERE c.relnamespace = 'public'::regnamespace
    """,
    "trigger": "SELECT pg_get_triggerdef(oid), tgenabled FROM pg_trigger WHERE NOT tgisinternal",
    "function": """
        SELECT pg_get_functiondef(oid) FROM pg_proc WHERE pronamespace = 'public'::regnamespace
    """,
    "sequence": """
        SELECT sequencename, data_type, start_value, increment_by, cycle FROM pg_sequences
        WHERE schemaname = 'public'
    """,
}
# A table that was renamed keeps the names of what was made with it.
_RENAMED = (
    (re.compile(r"lineage_(unmatched|named)loc\w*_event_id_[0-9a-f]{8}"), "event_of_a_location"),
    (re.compile("lineage_unmatchedlocation_pkey"), "lineage_namedlocation_pkey"),
)


def of_sqlite(file: Path) -> set[Part]:
    """Return tables with their columns and constraints, indexes and triggers."""
    with closing(sqlite3.connect(file)) as database:
        rows = database.execute("SELECT type, name, sql FROM sqlite_master WHERE sql <> ''")
        found = rows.fetchall()
    return {part for kind, name, sql in found for part in _parts(kind, name, sql)}


def of_postgresql(url: str) -> set[Part]:
    """Return columns, constraints, indexes, triggers, functions and sequences."""
    with psycopg.connect(url) as database:
        return {
            (kind, *(_renamed(str(value)) for value in row))
            for kind, query in _CATALOGUE.items()
            for row in database.execute(query).fetchall()
        }


def _parts(kind: str, name: str, sql: str) -> list[Part]:
    text = " ".join(sql.translate(_NO_QUOTES).split())
    if kind != "table":
        return [(kind, name, text)]
    body = text[text.index("(") + 1 : text.rindex(")")]
    return [(kind, name, part.strip()) for part in _split(body)]


def _split(body: str) -> list[str]:
    """Split at the commas that stand in no parentheses."""
    depth, cuts = 0, [-1]
    for found in re.finditer(r"[(),]", body):
        depth += {"(": 1, ")": -1}.get(found[0], 0)
        if found[0] == "," and not depth:
            cuts.append(found.start())
    return [body[a + 1 : b] for a, b in zip(cuts, [*cuts[1:], len(body)], strict=True)]


def _renamed(text: str) -> str:
    for name, one in _RENAMED:
        text = name.sub(one, text)
    return text
