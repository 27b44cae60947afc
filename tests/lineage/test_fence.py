"""Whoever lost the lease of a job writes nothing any more: each commit asks the database."""

from __future__ import annotations

import logging
import uuid
from datetime import UTC, datetime, timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, connections, transaction

from audits.management.commands import run_job as command
from audits.models import JobLine
from audits.services.job_lines import SOURCE, kept_lines
from lineage.models import Job, PausedQueue
from lineage.services import jobs
from lineage.services.fence import fenced
from lineage.services.jobs import LeaseLost

pytestmark = pytest.mark.django_db(transaction=True)

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
LEASE = timedelta(seconds=60)


@pytest.fixture
def job() -> Job:
    made = jobs.create_job(
        key="a job", kind="PLAN", queue="lineage", payload_id=uuid.uuid4(), now=NOW
    )
    return jobs.claim_job(job_id=made.pk, now=NOW, lease=LEASE)


def given_to_somebody_else(job: Job) -> Job:
    """What the sweeper and another machine do while the holder stands still."""
    jobs.take_back_lapsed(now=NOW + 2 * LEASE, lease=LEASE)
    return jobs.claim_job(job_id=job.pk, now=NOW + 2 * LEASE, lease=LEASE)


def write(name: str = "heavy") -> None:
    PausedQueue.objects.create(queue=name, paused_at=NOW)


def written() -> list[str]:
    return sorted(PausedQueue.objects.values_list("queue", flat=True))


def test_the_holder_writes_in_and_out_of_transactions(job):
    with fenced(job):
        write("heavy")
        with transaction.atomic():
            write("report")
    assert written() == ["heavy", "report"]


def test_a_write_that_stands_alone_gives_back_the_numbers_of_its_rows(job):
    with fenced(job):
        one = JobLine.objects.create(job=job, at=NOW, level="INFO", text="one")
        more = [JobLine(job=job, at=NOW, level="INFO", text=text) for text in ("two", "three")]
        made = [one, *JobLine.objects.bulk_create(more)]
    stored = dict(JobLine.objects.values_list("pk", "text"))
    assert stored == {line.pk: line.text for line in made}
    assert len(stored) == 3


RETURNING = (
    "INSERT INTO lineage_pausedqueue (queue, paused_at) VALUES (%s, %s), (%s, %s) RETURNING queue"
)


@pytest.mark.parametrize(
    "fetch",
    [
        lambda cursor: cursor.fetchall(),
        list,
        lambda cursor: cursor.fetchmany(5),
        lambda cursor: [*cursor.fetchmany(), cursor.fetchone()],
    ],
    ids=["all", "by iterating", "many", "one by one"],
)
def test_what_a_write_returns_is_read_in_every_way_and_by_one_cursor_again(job, fetch):
    with connection.cursor() as cursor:
        with fenced(job):
            for names in (("a", "b"), ("c", "d")):
                cursor.execute(RETURNING, (names[0], NOW, names[1], NOW))
                assert fetch(cursor) == [(name,) for name in names]
                assert cursor.fetchone() is None
                assert cursor.fetchall() == cursor.fetchmany(2) == list(cursor) == []
            cursor.execute(RETURNING, ("e", NOW, "f", NOW))  # and nobody reads it
            cursor.execute("SELECT 1")
            assert cursor.fetchall() == [(1,)]
            cursor.execute(RETURNING, ("g", NOW, "h", NOW))
        assert cursor.fetchone() == ("g",)
        cursor.executemany("DELETE FROM lineage_pausedqueue WHERE queue = %s", [("a",), ("b",)])
        assert cursor.description is None
    assert written() == [*"cdefgh"]


@transaction.atomic
def write_two() -> None:
    write("heavy")
    write("report")


@pytest.mark.parametrize("how", [write, write_two], ids=["one statement", "a transaction"])
def test_who_lost_the_lease_writes_nothing(job, how):
    with fenced(job):
        other = given_to_somebody_else_outside(job)
        with pytest.raises(LeaseLost):
            how()
        assert written() == []  # and the connection is as good as before
    jobs.finish_job(job=other, now=NOW)
    assert Job.objects.get().status == "SUCCEEDED"


def given_to_somebody_else_outside(job: Job) -> Job:
    """As above, by a process that this fence does not stop."""
    real = connections["default"]
    commit, wrappers = real.__dict__.pop("commit"), list(real.execute_wrappers)
    real.execute_wrappers.clear()
    try:
        return given_to_somebody_else(job)
    finally:
        real.__dict__["commit"] = commit
        real.execute_wrappers += wrappers


def test_a_lease_that_is_lost_inside_a_transaction_takes_its_writes_along(job):
    @transaction.atomic
    def write_and_lose() -> None:
        write()
        Job.objects.filter(pk=job.pk).update(holder=uuid.uuid4())

    with fenced(job), pytest.raises(LeaseLost):
        write_and_lose()
    assert written() == []
    assert Job.objects.get().holder == job.holder


def test_a_handler_may_end_its_own_job(job):
    with fenced(job):
        assert jobs.cancel_job(job=job, now=NOW)
    assert Job.objects.get().status == "CANCELLED"


def test_a_line_of_a_job_is_kept_though_its_number_is_only_read_later(job):
    with fenced(job), kept_lines(job):
        logging.getLogger(SOURCE).info("a line", extra={"phase": "Training"})
    assert list(JobLine.objects.values_list("text", flat=True)) == ["Training"]


def test_nothing_is_asked_once_the_job_is_over(job):
    with fenced(job):
        pass
    given_to_somebody_else(job)
    write()
    assert written() == ["heavy"]


def test_a_job_inside_another_is_held_back_by_both_and_leaves_the_outer_fence(job):
    made = jobs.create_job(
        key="another", kind="PLAN", queue="lineage", payload_id=uuid.uuid4(), now=NOW
    )
    inner = jobs.claim_job(job_id=made.pk, now=NOW, lease=LEASE)
    with fenced(job):
        with fenced(inner):
            write("report")
        given_to_somebody_else_outside(job)
        with pytest.raises(LeaseLost):
            write("heavy")
    assert written() == ["report"]


def test_a_child_that_comes_too_late_says_so_and_leaves_the_job_to_its_holder(
    job, monkeypatch, caplog
):
    def late(_job: Job) -> None:
        given_to_somebody_else_outside(job)
        write()

    monkeypatch.setitem(command.HANDLERS, "PLAN", f"{__name__}:handled")
    monkeypatch.setitem(globals(), "handled", late)
    with pytest.raises(CommandError, match="taken back while it was done"):
        call_command("run_job", str(job.pk), "--holder", str(job.holder))
    assert written() == []
    assert Job.objects.get().status == "RUNNING"
    assert f"job {job.pk} was taken back; nothing more is written" in caplog.text


@pytest.mark.parametrize("error", [None, LookupError("the other one deleted it")])
def test_a_child_that_has_nothing_left_to_write_says_that_it_came_too_late(
    job, monkeypatch, caplog, error
):
    def late(_job: Job) -> None:
        given_to_somebody_else_outside(job)
        if error:
            raise error

    monkeypatch.setitem(command.HANDLERS, "PLAN", f"{__name__}:handled")
    monkeypatch.setitem(globals(), "handled", late)
    with pytest.raises(CommandError, match="was taken back while it was done"):
        call_command("run_job", str(job.pk), "--holder", str(job.holder))
    assert (Job.objects.get().status, Job.objects.get().error) == ("RUNNING", "")
    assert f"job {job.pk} was taken back; nothing more is written" in caplog.text


def waits_again(job: Job) -> None:
    jobs.take_back_lapsed(now=NOW + 2 * LEASE, lease=LEASE)


def is_done_elsewhere(job: Job) -> None:
    jobs.finish_job(job=given_to_somebody_else(job), now=NOW)


@pytest.mark.parametrize(
    ("meanwhile", "state"),
    [
        (given_to_somebody_else, "RUNNING"),
        (waits_again, "QUEUED"),
        (is_done_elsewhere, "SUCCEEDED"),
    ],
)
def test_a_child_that_starts_too_late_does_not_begin(job, monkeypatch, meanwhile, state):
    monkeypatch.setitem(command.HANDLERS, "PLAN", "nowhere:at_all")
    meanwhile(job)
    with pytest.raises(CommandError, match=f"taken back since it was claimed, and is {state} now"):
        call_command("run_job", str(job.pk), "--holder", str(job.holder))
