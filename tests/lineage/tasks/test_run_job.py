"""What the child process itself does with its job."""

from __future__ import annotations

import sys

import pytest
from django.core.management import CommandError, call_command
from django.db import InterfaceError, OperationalError

from audits.management.commands import run_job as command
from lineage.queries.training_view import RecordNotServed
from lineage.services import away
from lineage.stores import StoreNotReachable
from tests.lineage.tasks.made import claimed, make

pytestmark = pytest.mark.django_db


@pytest.fixture
def handler(monkeypatch):
    def become(function):
        monkeypatch.setitem(command.HANDLERS, "PLAN", f"{__name__}:handled")
        monkeypatch.setattr(sys.modules[__name__], "handled", function, raising=False)

    return become


def test_run_job_refuses_a_job_that_nobody_claimed():
    job = make()
    with pytest.raises(CommandError, match=f"Job {job.pk} is QUEUED; only a claimed job"):
        call_command("run_job", str(job.pk))


def test_run_job_keeps_the_sentence_of_what_went_wrong(handler):
    def full(_job):
        raise ValueError("The store is full.")

    handler(full)
    job = claimed()
    call_command("run_job", str(job.pk))
    job.refresh_from_db()
    assert (job.status, job.error_code, job.error) == (
        "FAILED",
        "ValueError",
        "The store is full.",
    )


def test_run_job_says_something_even_where_the_error_does_not(handler):
    def speechless(_job):
        raise AssertionError

    handler(speechless)
    job = claimed()
    call_command("run_job", str(job.pk))
    job.refresh_from_db()
    assert job.error == "The job ended with AssertionError; the worker's log says where."


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (StoreNotReachable("away"), "StoreNotReachable"),
        (OperationalError("gone"), "OperationalError"),
        (InterfaceError("connection already closed"), "OperationalError"),
    ],
    ids=["store", "database", "connection"],
)
def test_run_job_tells_the_worker_who_was_away_and_leaves_the_job_to_it(handler, error, code):
    def gone(_job):
        raise error

    handler(gone)
    job = claimed()
    with pytest.raises(SystemExit) as ended:
        call_command("run_job", str(job.pk))
    assert [number for number, one in away.BY_EXIT.items() if one.code == code] == [
        ended.value.code
    ]
    job.refresh_from_db()
    assert job.status == "RUNNING"


def test_run_job_leaves_to_the_worker_what_was_restricted_while_it_read(handler):
    def restricted(_job):
        raise RecordNotServed("restricted")

    handler(restricted)
    job = claimed()
    with pytest.raises(RecordNotServed):
        call_command("run_job", str(job.pk))
    job.refresh_from_db()
    assert job.status == "RUNNING"


def test_every_kind_of_job_has_a_handler_that_exists():
    from importlib import import_module

    for place in command.HANDLERS.values():
        module, _, name = place.partition(":")
        assert callable(getattr(import_module(module), name))
