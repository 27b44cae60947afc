"""The same membership as rows: a lean join table in PostgreSQL, Django's own, and networkx."""

from __future__ import annotations

import io
import time
import tracemalloc
from typing import TYPE_CHECKING, Any

import networkx as nx
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray
    from pyroaring import BitMap

_HEAD, _TAIL = b"PGCOPY\n\xff\r\n\0" + b"\0" * 8, b"\xff\xff"
_ROW = np.dtype([("n", ">i2"), ("a", ">i4"), ("record", ">i4"), ("b", ">i4"), ("version", ">i4")])
FEW = 200_000  # rows at most, a hundredth of all, for what is too slow to be filled whole


def joined(masks: Sequence[NDArray[np.bool_]]) -> dict[str, Any]:
    """Fill the leanest join table: COPY, then the primary key, then VACUUM."""
    from django.db import connection  # noqa: PLC0415

    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE lean (record_id int4 NOT NULL, version_id int4 NOT NULL)")
        edges, seconds = _filled(cursor, masks)
        cursor.execute("VACUUM (FREEZE, ANALYZE) lean")
        cursor.execute("SELECT pg_total_relation_size('lean')")
        size, few = cursor.fetchone()[0], min(FEW, edges // 100)
        cursor.execute("SHOW server_version")
        (server,) = cursor.fetchone()
        return {
            "server": server,
            "copy_edges_per_second": round(edges / seconds),
            "text_copy": _copied_as_text(cursor, masks),
            "bytes_per_edge": round(size / edges, 2),
            "django_many_to_many": _django(cursor, few),
            "networkx": _networkx(masks[0], few),
        }


def ask_join() -> dict[str, Callable[[BitMap], object]]:
    """Return the two questions to the join table, asked through the cursor that ours use."""
    from lineage.queries.prepared import quick_cursor  # noqa: PLC0415

    def versions(asked: BitMap) -> list[int]:
        with quick_cursor() as cursor:
            cursor.execute("SELECT version_id FROM lean WHERE record_id = %s", [asked.min()])
            return [version for (version,) in cursor.fetchall()]

    def counts(asked: BitMap) -> dict[int, int]:
        with quick_cursor() as cursor:
            cursor.execute(
                "SELECT version_id, count(*) FROM lean WHERE record_id = ANY(%s) GROUP BY 1",
                [list(asked)],
            )
            return dict(cursor.fetchall())

    return {"one_record": versions, "subject100": counts}


def _filled(cursor: Any, masks: Sequence[NDArray[np.bool_]]) -> tuple[int, float]:  # noqa: ANN401
    edges = 0
    started = time.perf_counter()
    with cursor.copy("COPY lean FROM STDIN (FORMAT BINARY)") as copy:
        copy.write(_HEAD)
        for version, mask in enumerate(masks):
            records = np.flatnonzero(mask)
            rows = np.empty(len(records), dtype=_ROW)
            rows["n"], rows["a"], rows["b"] = 2, 4, 4
            rows["record"], rows["version"] = records, version
            copy.write(rows.tobytes())
            edges += len(records)
        copy.write(_TAIL)
    cursor.execute("ALTER TABLE lean ADD PRIMARY KEY (record_id, version_id)")
    return edges, time.perf_counter() - started


def _copied_as_text(cursor: Any, masks: Sequence[NDArray[np.bool_]]) -> dict[str, float]:  # noqa: ANN401
    """Fill a tenth by COPY in text form into a table that has its primary key, as most people do.

    Smaller is kinder to it: the index still fits into memory. Making the text is not timed.
    """
    cursor.execute(
        "CREATE TABLE plain (record_id int4, version_id int4, PRIMARY KEY (record_id, version_id))"
    )
    lines = [
        "".join(f"{record}\t{version}\n" for record in np.flatnonzero(mask).tolist())
        for version, mask in enumerate(masks[: max(1, len(masks) // 10)])
    ]
    started = time.perf_counter()
    with cursor.copy("COPY plain FROM STDIN") as copy:
        for text in lines:
            copy.write(text)
    seconds = time.perf_counter() - started
    edges = sum(text.count("\n") for text in lines)
    return {"edges": edges, "edges_per_second": round(edges / seconds)}


def _django(cursor: Any, few: int) -> dict[str, float]:  # noqa: ANN401  (a database cursor)
    """Fill a table shaped like Django's default for a ManyToManyField, by multi-row INSERT."""
    cursor.execute(
        "CREATE TABLE through (id bigserial PRIMARY KEY, record_id bigint NOT NULL, "
        "version_id bigint NOT NULL, UNIQUE (record_id, version_id))"
    )
    cursor.execute("CREATE INDEX ON through (record_id)")
    cursor.execute("CREATE INDEX ON through (version_id)")
    started = time.perf_counter()
    for start in range(0, few, 5_000):
        rows = io.StringIO()
        rows.write(",".join(f"({(start + at) % 20_011},{at % 97 + start})" for at in range(5_000)))
        cursor.execute(f"INSERT INTO through (record_id, version_id) VALUES {rows.getvalue()}")  # noqa: S608
    seconds = time.perf_counter() - started
    cursor.execute("SELECT pg_total_relation_size('through')")
    return {
        "insert_edges_per_second": round(few / seconds),
        "bytes_per_edge": round(cursor.fetchone()[0] / few, 1),
    }


def _networkx(mask: NDArray[np.bool_], few: int) -> dict[str, float]:
    records = np.flatnonzero(mask)[:few].tolist()
    tracemalloc.start()
    started = time.perf_counter()
    graph: nx.DiGraph[int] = nx.DiGraph()
    graph.add_edges_from((record, -1 - record % 100) for record in records)
    seconds = time.perf_counter() - started
    size, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return {
        "edges_per_second": round(len(records) / seconds),
        "bytes_per_edge": round(size / graph.number_of_edges(), 1),
    }
