"""A real worker: it says that it is there while it is idle, and ends its job when it must stop.

It has an installation of its own, whose database is reached here as ``theirs``.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from typing import TYPE_CHECKING

import pytest
from celery import Celery
from django.db import connections
from django.utils import timezone

from audits.models import WorkerSign
from config.services.commands import light_worker
from lineage.models import Job, OrdinalSpace

if TYPE_CHECKING:
    from collections.abc import Callable

LIGHT = ["intake", "lineage", "report"]
PATIENCE = 240  # seconds; it takes three, unless the machine is very busy


@pytest.fixture
def site(tmp_path, django_db_setup, django_db_blocker):
    """A folder with a copy of the migrated database."""
    if not str(django_db_setup).endswith(".sqlite3"):
        pytest.skip("the worker is given a copy of the migrated SQLite database")
    (tmp_path / "broker").mkdir()
    shutil.copy(django_db_setup, tmp_path / "expunge.sqlite3")
    connections.databases["theirs"] = {
        **connections.databases["default"],
        "NAME": str(tmp_path / "expunge.sqlite3"),
    }
    with django_db_blocker.unblock():
        yield tmp_path
        connections["theirs"].close()
    del connections.databases["theirs"]


@pytest.fixture
def worker(site):
    environ = {**os.environ, "EXPUNGE_HOME": str(site), "DATABASE_URL": "", "REDIS_URL": ""}
    command = light_worker(environ)
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


def ring(site, job):
    folder = str(site / "broker")
    options = {"data_folder_in": folder, "data_folder_out": folder}
    with Celery(broker="filesystem://", broker_transport_options=options) as app:
        app.send_task("lineage.run_job", args=[str(job.pk)], queue="lineage")


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


def test_an_idle_worker_says_that_it_is_there_and_one_that_must_stop_ends_its_job(site, worker):
    signs = WorkerSign.objects.using("theirs")
    wait_for(signs.exists, worker, site)
    assert signs.get().queues == LIGHT
    assert not Job.objects.using("theirs").exists()  # it was never given anything
    first, second = tiles("first"), tiles("second")
    ring(site, first)
    running = Job.objects.using("theirs").filter(status="RUNNING")
    wait_for(running.exists, worker, site)
    worker.send_signal(signal.SIGTERM)
    assert running.exists()  # so it was in the middle of it
    wait_for(lambda: not signs.exists(), worker, site)
    ring(site, second)
    assert worker.wait(PATIENCE) == 0
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.status, first.attempt, first.error) == ("SUCCEEDED", 1, "")
    assert (second.status, second.attempt) == ("QUEUED", 0)
    assert len(list((site / "broker").glob("*lineage*"))) == 1  # for the next worker
