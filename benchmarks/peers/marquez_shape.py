"""The shape of Marquez's lineage query, in words of our own, on PostgreSQL.

Marquez itself needs Java. What is imitated, from reading it: it knows jobs and data sets, no
records; it looks at the current version of each job only; it gathers the inputs and outputs of
every current job anew for each question; it follows them in both directions at once; and depth,
20 by default, is a part of what tells two rows apart. In its favour, every snapshot, version and
synthetic data set is a data set of its own; which snapshots hold a record is read from a join
table beside it; and one question starts from all of them.
"""

from __future__ import annotations

from typing import Any

from benchmarks.installation import database_bytes, prepared
from benchmarks.peers.driver import measured

_DEPTH, _SECONDS = 20, 60
_TABLES = """
CREATE TABLE mz_member (record int, dataset int, PRIMARY KEY (record, dataset));
CREATE TABLE mz_job (id int PRIMARY KEY, current_version int);
CREATE TABLE mz_job_version (id int PRIMARY KEY, job int);
CREATE TABLE mz_io (job_version int, dataset int, writes bool);
CREATE INDEX ON mz_job_version (job);
CREATE INDEX ON mz_io (job_version);
CREATE INDEX ON mz_io (dataset);
"""
_LINEAGE = """
WITH RECURSIVE touched AS (
    SELECT j.id AS job,
           coalesce(array_agg(x.dataset) FILTER (WHERE NOT x.writes), '{{}}') AS read,
           coalesce(array_agg(x.dataset) FILTER (WHERE x.writes), '{{}}') AS written
    FROM mz_job j JOIN mz_io x ON x.job_version = j.current_version
    GROUP BY j.id
), lineage AS (
    SELECT t.job, t.read, t.written, 0 AS depth FROM touched t
    WHERE t.read && %s::int[] OR t.written && %s::int[]
    UNION
    SELECT t.job, t.read, t.written, l.depth + 1 FROM touched t, lineage l
    WHERE l.depth < {depth} AND t.job <> l.job AND (t.read && l.written OR t.written && l.read)
)
SELECT DISTINCT unnest(written) FROM lineage
"""


def run(path: str) -> dict[str, Any]:
    """Measure in the PostgreSQL database that is configured in this process."""
    prepared()
    return measured(MarquezShape(), path)


class MarquezShape:
    """Data sets by number: snapshots first, then synthetic ones, then versions."""

    version = "query shape of 2025-03"

    def register(self, graph: dict[str, Any]) -> None:
        """Make the tables; records are in the join table alone."""
        self._execute(_TABLES)
        self._execute(f"SET statement_timeout = '{_SECONDS}s'")
        self._synthetic = len(graph["snapshots"])
        self._first = self._synthetic + len(graph["runs"])

    def fill(self, graph: dict[str, Any]) -> None:
        """Write members, jobs, their versions, and what these read and write."""
        members = [
            (record, number) for number, held in enumerate(graph["snapshots"]) for record in held
        ]
        self._copy("mz_member", members)
        jobs: dict[int, int] = {}
        touched: list[tuple[int, int, bool]] = []
        last = len(graph["runs"])
        for number, reads in enumerate(graph["runs"]):
            jobs[reads["job"]] = number  # the newest version is the current one
            touched.append((number, self._first + number, True))
            if reads["snapshot"] is not None:
                touched.append((number, reads["snapshot"], False))
            if reads["base"] is not None:
                touched.append((number, self._first + reads["base"], False))
            if reads["teacher"] is not None:
                made, by = self._synthetic + number, last + number
                jobs[by] = by
                touched += [(by, self._first + reads["teacher"], False), (by, made, True)]
                touched.append((number, made, False))
        versions = [(number, reads["job"]) for number, reads in enumerate(graph["runs"])]
        self._copy("mz_job_version", versions + [(by, by) for by in jobs if by >= last])
        self._copy("mz_job", list(jobs.items()))
        self._copy("mz_io", touched)
        self._execute("ANALYZE")

    def size(self) -> int:
        """Return the bytes of the database."""
        return database_bytes()

    def ask(self, records: list[int]) -> list[int]:
        """Return the versions that the question names from the snapshots that hold the records."""
        from django.db import connection  # noqa: PLC0415

        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT DISTINCT dataset FROM mz_member WHERE record = ANY(%s)", [records]
            )
            start = [number for (number,) in cursor.fetchall()]
            cursor.execute(_LINEAGE.format(depth=_DEPTH), [start, start])
            found = [number - self._first for (number,) in cursor.fetchall()]
        return [number for number in found if number >= 0]

    def _execute(self, statement: str) -> None:
        from django.db import connection  # noqa: PLC0415

        with connection.cursor() as cursor:
            cursor.execute(statement)

    def _copy(self, table: str, rows: list[Any]) -> None:
        from django.db import connection  # noqa: PLC0415

        with connection.cursor() as cursor, cursor.copy(f"COPY {table} FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
