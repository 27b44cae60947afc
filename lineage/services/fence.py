"""Let nobody write in the name of a job that was given to somebody else.

A machine can stand still, or be cut off, for longer than the lease of the job that it does. The
job is then taken back and done elsewhere, and the first process knows nothing of it when it goes
on. So each of its transactions ends with the question whether the job is still its own, and holds
the row of the job until the commit: whoever takes the job back comes before that or after it.

What is no row of the database is not held back: a file that is written too late is whole, no row
speaks of it, and the sweep of the store deletes it.
"""

from __future__ import annotations

from contextlib import contextmanager
from itertools import islice
from typing import TYPE_CHECKING, Any

from django.db import DEFAULT_DB_ALIAS, connection, connections, transaction

from lineage.models import Job
from lineage.services.jobs import LeaseLost

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_WRITES = ("INSERT", "UPDATE", "DELETE")


@contextmanager
def fenced(job: Job) -> Iterator[None]:
    """Let this process commit only while the job is held as ``job`` says, or was ended by it.

    Raises:
        LeaseLost: from a commit that comes too late; nothing of that transaction is kept.
    """
    wrapper = connections[DEFAULT_DB_ALIAS]
    before, commit = vars(wrapper).get("commit"), wrapper.commit

    def checked() -> None:
        if _lost(job):
            connection.rollback()
            raise LeaseLost(str(job))
        commit()

    wrapper.commit = checked  # type: ignore[method-assign]
    try:
        with connection.execute_wrapper(_in_a_transaction):
            yield
    finally:
        if before is None:
            del wrapper.commit  # that of its class stands again
        else:
            wrapper.commit = before  # type: ignore[method-assign]


def _lost(job: Job) -> bool:
    if job.status != Job.Status.RUNNING:  # ended in this process, which held it
        return False
    mine = Job.objects.select_for_update(no_key=True).filter(pk=job.pk, status=Job.Status.RUNNING)
    return not mine.filter(holder=job.holder).values_list("pk").first()


def _in_a_transaction(
    execute: Callable[..., Any],
    sql: str,
    params: Any,  # noqa: ANN401  (Django's signature)
    many: bool,  # noqa: FBT001  (the same)
    context: dict[str, Any],
) -> Any:  # noqa: ANN401  (the same)
    """Give a write that stands alone a commit of its own, before which is asked."""
    if connection.in_atomic_block or not sql.lstrip().upper().startswith(_WRITES):
        return execute(sql, params, many, context)
    with transaction.atomic():
        result = execute(sql, params, many, context)
        if context["cursor"].description is None:
            return result
        return _Read(context["cursor"])


class _Read:
    """In place of the cursor of the driver: what a write returned, up to the next statement.

    It is taken before the commit, as SQLite makes none while rows wait.
    """

    def __init__(self, wrapper: Any) -> None:  # noqa: ANN401  (Django's, with that of the driver)
        self._wrapper, self._driver = wrapper, wrapper.cursor
        self._rows: Iterator[Any] = iter(wrapper.fetchall())
        wrapper.cursor = self

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  (whatever the driver has)
        return getattr(self._driver, name)

    def __iter__(self) -> Iterator[Any]:
        return self._rows

    def fetchone(self) -> Any:  # noqa: ANN401  (a row)
        return next(self._rows, None)

    def fetchmany(self, size: int = 0) -> list[Any]:
        return list(islice(self._rows, size or self._driver.arraysize))

    def fetchall(self) -> list[Any]:
        return list(self._rows)

    def execute(self, *words: Any) -> Any:  # noqa: ANN401  (the driver's)
        return self._again().execute(*words)

    def executemany(self, *words: Any) -> Any:  # noqa: ANN401  (the driver's)
        return self._again().executemany(*words)

    def _again(self) -> Any:  # noqa: ANN401  (the cursor of the driver)
        self._wrapper.cursor = self._driver
        return self._driver
