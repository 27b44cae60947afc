"""The same membership as rows: a lean join table in PostgreSQL, Django's own, and networkx."""

from __future__ import annotations

import io
import time
import tracemalloc
from typing import TYPE_CHECKING, Any

import networkx as nx
import numpy as np

from benchmarks.timing import repeated

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray
    from pyroaring import BitMap

_HEAD, _TAIL = b"PGCOPY\n\xff\r\n\0" + b"\0" * 8, b"\xff\xff"
_ROW = np.dtype([("n", ">i2"), ("a", ">i4"), ("record", ">i4"), ("b", ">i4"), ("version", ">i4")])
FEW = 200_000  # rows for what is too slow to be filled whole


def joined(
    masks: Sequence[NDArray[np.bool_]],
    one: Callable[[], BitMap],
    subject: Callable[[], BitMap],
) -> dict[str, Any]:
    """Fill and ask the leanest join table: COPY, then the primary key, then VACUUM."""
    from django.db import connection  # noqa: PLC0415

    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE lean (record_id int4 NOT NULL, version_id int4 NOT NULL)")
        edges, seconds = _filled(cursor, masks)
        cursor.execute("VACUUM (FREEZE, ANALYZE) lean")
        cursor.execute("SELECT pg_total_relation_size('lean')")
        size = cursor.fetchone()[0]

        def versions(asked: BitMap) -> list[int]:
            cursor.execute("SELECT version_id FROM lean WHERE record_id = %s", [int(asked[0])])
            return [version for (version,) in cursor.fetchall()]

        def counts(asked: BitMap) -> dict[int, int]:
            cursor.execute(
                "SELECT version_id, count(*) FROM lean WHERE record_id = ANY(%s) GROUP BY 1",
                [list(asked)],
            )
            return dict(cursor.fetchall())

        return {
            "copy_edges_per_second": round(edges / seconds),
            "bytes_per_edge": round(size / edges, 2),
            "one_record": repeated(one, versions, 300),
            "subject100": repeated(subject, counts, 100),
            "django_many_to_many": _django(cursor),
            "networkx": _networkx(masks[0]),
        }


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


def _django(cursor: Any) -> dict[str, float]:  # noqa: ANN401  (a database cursor)
    """Fill a table shaped like Django's default for a ManyToManyField, by multi-row INSERT."""
    cursor.execute(
        "CREATE TABLE through (id bigserial PRIMARY KEY, record_id bigint NOT NULL, "
        "version_id bigint NOT NULL, UNIQUE (record_id, version_id))"
    )
    cursor.execute("CREATE INDEX ON through (record_id)")
    cursor.execute("CREATE INDEX ON through (version_id)")
    started = time.perf_counter()
    for start in range(0, FEW, 5_000):
        rows = io.StringIO()
        rows.write(",".join(f"({(start + at) % 20_011},{at % 97 + start})" for at in range(5_000)))
        cursor.execute(f"INSERT INTO through (record_id, version_id) VALUES {rows.getvalue()}")  # noqa: S608
    seconds = time.perf_counter() - started
    cursor.execute("SELECT pg_total_relation_size('through')")
    return {
        "insert_edges_per_second": round(FEW / seconds),
        "bytes_per_edge": round(cursor.fetchone()[0] / FEW, 1),
    }


def _networkx(mask: NDArray[np.bool_]) -> dict[str, float]:
    records = np.flatnonzero(mask)[:FEW].tolist()
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
