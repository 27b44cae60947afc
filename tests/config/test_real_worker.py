"""A real worker: it says that it is there while it is idle, and ends its job when it must stop.

It has an installation of its own, whose database is reached here as ``theirs``. In the first pass
of ``make test`` that is SQLite and a broker in a folder, in the second one PostgreSQL and Valkey.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
import redis
from celery import Celery
from django.conf import settings
from django.db import connection, connections
from django.utils import timezone

from audits.models import WorkerSign
from config.services import valkey
from config.services.commands import light_worker
from lineage.models import Job, OrdinalSpace
from tests.migrated import address_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

LIGHT = ["intake", "lineage", "report"]
PATIENCE = 240  # seconds; it takes three, unless the machine is very busy


@dataclass(frozen=True)
class Bell:
    """A broker: its address as the worker is given it, and what lies in a queue of it."""

    url: str
    options: dict[str, Any]
    waiting: Callable[[], int]
    ahead: bool  # whether a worker fetches the next message while its job runs

    def ring(self, job: Job) -> None:
        url = self.url or "filesystem://"
        with Celery(broker=url, broker_transport_options=self.options) as app:
            app.send_task("lineage.run_job", args=[str(job.pk)], queue="lineage")


@contextmanager
def bell_in_folder(folder: Path) -> Iterator[Bell]:
    folder.mkdir()
    options = {"data_folder_in": str(folder), "data_folder_out": str(folder)}
    yield Bell("", options, lambda: len(list(folder.glob("*lineage*"))), ahead=True)


@contextmanager
def bell_of_valkey() -> Iterator[Bell]:
    """Not the server of the pass, where other tests ring for workers of their own."""
    options: dict[str, Any] = settings.BROKER_OPTIONS_REDIS
    queue = options["global_keyprefix"] + "lineage"
    with (
        valkey.private_valkey(valkey.find_server(os.environ)) as url,
        redis.Redis.from_url(valkey.client_url(url)) as server,
    ):
        yield Bell(url, options, lambda: int(server.llen(queue)), ahead=False)


@pytest.fixture
def site(tmp_path, own_database, django_db_blocker):
    """A folder, whose installation has a copy of the migrated database."""
    connections.databases["theirs"] = own_database
    with django_db_blocker.unblock():
        yield tmp_path
        connections["theirs"].close()
    del connections["theirs"]
    del connections.databases["theirs"]


@pytest.fixture
def bell(tmp_path):
    embedded = connection.vendor == "sqlite"
    with bell_in_folder(tmp_path / "broker") if embedded else bell_of_valkey() as found:
        yield found


@pytest.fixture
def worker(site, bell):
    place = address_of(connections.databases["theirs"]["NAME"])
    environ = {**os.environ, "EXPUNGE_HOME": str(site)}
    command = light_worker({**environ, "DATABASE_URL": place, "REDIS_URL": bell.url})
    with (site / "log").open("wb") as log:
        process = subprocess.Popen(
            command.argv, env=command.env, cwd=command.cwd, stdout=log, stderr=log
        )
    yield process
    process.kill()
    process.wait()


def wait_for(what: Callable[[], object], worker, site):
    until = time.monotonic() + PATIENCE
    while not what():
        assert worker.poll() is None, (site / "log").read_text()
        assert time.monotonic() < until, (site / "log").read_text()
        time.sleep(0.02)  # between two looks at another process


def tiles(key):
    space = OrdinalSpace.objects.using("theirs").create(name=key)
    return Job.objects.using("theirs").create(
        key=key,
        kind="TILES",
        queue="lineage",
        payload_id=space.public_id,
        parameters={"group": 0},
        created_at=timezone.now(),
    )


def test_an_idle_worker_says_that_it_is_there_and_one_that_must_stop_ends_its_job(
    site, bell, worker
):
    signs = WorkerSign.objects.using("theirs")
    wait_for(signs.exists, worker, site)
    assert signs.get().queues == LIGHT
    assert not Job.objects.using("theirs").exists()  # it was never given anything
    jobs = [tiles("first"), tiles("second"), tiles("late")]
    bell.ring(jobs[0])
    bell.ring(jobs[1])
    running = Job.objects.using("theirs").filter(key="first", status="RUNNING")
    wait_for(running.exists, worker, site)
    if bell.ahead:
        wait_for(lambda: not bell.waiting(), worker, site)
    worker.send_signal(signal.SIGTERM)
    assert running.exists()  # so it was in the middle of it
    wait_for(lambda: not signs.exists(), worker, site)
    bell.ring(jobs[2])
    assert worker.wait(PATIENCE) == 0
    for job in jobs:
        job.refresh_from_db()
    done, left = ("SUCCEEDED", 1, ""), ("QUEUED", 0, "")
    ends = [(job.status, job.attempt, job.error) for job in jobs]
    assert ends == [done, done if bell.ahead else left, left]
    assert bell.waiting() == ends.count(left)  # for the next worker
