"""Who may write the log, and how: a role that is not the owner, and eight writers at once."""

from __future__ import annotations

import threading
from contextlib import contextmanager

import pytest
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from audits.core import ledger
from audits.models import LogHead, LogLeaf
from audits.queries import log_tree
from audits.services import log
from tests.audits import sealed_cases
from tests.audits.test_append_only import TABLES

pytestmark = [
    pytest.mark.database,
    pytest.mark.skipif(connection.vendor != "postgresql", reason="PostgreSQL has roles"),
]
WRITERS, EACH = 8, 12
TRAIL = sorted([LogHead._meta.db_table, *(model._meta.db_table for model in TABLES)])


@contextmanager
def as_role(*granted: str):
    """Be a role without superuser that was granted these on every table."""
    with connection.cursor() as cursor:
        cursor.execute("CREATE ROLE trail_tester NOSUPERUSER")
        cursor.execute("GRANT USAGE ON SCHEMA public TO trail_tester")
        cursor.execute(
            f"GRANT {', '.join(granted)} ON ALL TABLES IN SCHEMA public TO trail_tester"
        )
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET LOCAL ROLE trail_tester")
        yield cursor
        cursor.execute("RESET ROLE")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE {table} SET {column} = {column}",
        "DELETE FROM {table}",
        "TRUNCATE {table} CASCADE",
        "ALTER TABLE {table} DISABLE TRIGGER ALL",
        "DROP TRIGGER {table}_refuse_change ON {table}",
        "SET LOCAL session_replication_role = replica",
    ],
)
def test_a_role_that_may_write_all_tables_changes_nothing_of_the_trail(
    db, settings, tmp_path, statement
):
    sealed_cases.use_folder(settings, tmp_path)
    sealed_cases.no_data_case()
    sealed_cases.judged_run()
    with as_role("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE") as cursor:
        for table in TRAIL:
            cursor.execute(f"SELECT count(*), (SELECT count(*) FROM {table}) FROM {table}")
            assert cursor.fetchone()[0] > 0
            column = '"index"' if table == "audits_logleaf" else "size"
            column = column if "_log" in table else "id"
            with pytest.raises(DatabaseError, match=REFUSED), transaction.atomic():
                cursor.execute(statement.format(table=table, column=column))


REFUSED = "append-only|only grow|must be owner|permission denied"


def test_that_role_still_appends(db, settings, tmp_path):
    sealed_cases.use_folder(settings, tmp_path)
    with as_role("SELECT", "INSERT", "UPDATE"), transaction.atomic():
        append()
    assert LogLeaf.objects.count() == 1


def append():
    return log.append(type="incident_raised", case=None, now=timezone.now(), data={"code": "X"})


@pytest.mark.django_db(transaction=True)
def test_eight_writers_leave_no_gap_and_every_event_can_be_proved(signing_key):
    written: list[int] = []

    def write():
        try:
            for number in range(EACH):
                with transaction.atomic():
                    leaf = append()
                    if number % 4 == 3:
                        transaction.set_rollback(True)  # a change that fails takes its event back
                    else:
                        written.append(leaf.index)
        finally:
            connection.close()

    threads = [threading.Thread(target=write) for _ in range(WRITERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    size = WRITERS * EACH * 3 // 4
    assert sorted(written) == list(range(size))
    rows = list(LogLeaf.objects.order_by("index").values_list("index", "leaf_hash"))
    assert [index for index, _ in rows] == sorted(written)
    root = bytes(log.checkpoint(now=timezone.now()).root)
    for index, path in log_tree.inclusion_paths(range(size), size).items():
        leaf = bytes(rows[index][1])
        ledger.verify_inclusion(index=index, size=size, leaf=leaf, path=path, root=root)
