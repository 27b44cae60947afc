"""The task that watches over a child process. The children here are small shell scripts."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import uuid
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError
from django.utils import timezone

from lineage import artifacts, tasks
from lineage.models import Job
from lineage.services import away, jobs
from tests.lineage.tasks.made import claimed, make

pytestmark = pytest.mark.django_db


@pytest.fixture
def sent(monkeypatch):
    messages: list[tuple[str, list[str], str]] = []

    def send_task(name, args, queue):
        messages.append((name, args, queue))

    monkeypatch.setattr("lineage.tasks.current_app.send_task", send_task)
    return messages


@pytest.fixture
def child(monkeypatch):
    """Children run a script instead of the job; ``before`` is called with the claimed job."""

    def become(script, before=lambda _job: None):
        started = []

        def start(job):
            before(job)
            started.append(subprocess.Popen(["/bin/sh", "-c", script], start_new_session=True))
            return started[-1]

        monkeypatch.setattr(tasks, "_start_child", start)
        return started

    return become


def test_a_child_that_ends_well_has_written_its_end_itself(child, sent):
    child("exit 0", before=lambda job: jobs.finish_job(job=job, now=timezone.now()))
    job = make()
    tasks.run_job(str(job.pk))
    job.refresh_from_db()
    assert (job.status, job.attempt) == ("SUCCEEDED", 1)
    assert sent == [("audits.job_ended", [str(job.pk)], "intake")]


@pytest.mark.parametrize("end", [jobs.finish_job, partial(jobs.fail_job, code="X", message="")])
def test_a_child_that_has_ended_its_job_is_left_to_end_itself(
    end, child, sent, monkeypatch, tmp_path
):
    # It sends its traces after the end was written, and a beat may come between.
    monkeypatch.setattr(tasks, "CANCEL_GRACE_SECONDS", 60)
    script = f"sleep 0.2; echo told > {tmp_path / 'told'}"
    started = child(script, before=lambda job: end(job=job, now=timezone.now()))
    tasks.run_job(str(make().pk))
    assert (tmp_path / "told").exists()
    assert started[0].poll() == 0


def test_a_child_that_has_ended_its_job_and_stays_is_ended(child, sent):
    started = child("sleep 60", before=lambda job: jobs.finish_job(job=job, now=timezone.now()))
    job = make()
    tasks.run_job(str(job.pk))
    job.refresh_from_db()
    assert job.status == "SUCCEEDED"
    assert started[0].poll() == -9


def test_a_child_that_dies_gives_its_job_back(child, sent):
    child("kill -9 $$")
    job = make()
    tasks.run_job(str(job.pk))
    job.refresh_from_db()
    assert (job.status, job.holder, job.rung_at) == ("QUEUED", None, None)
    assert sent  # whoever waits rings again


def test_a_child_that_finds_the_store_away_costs_its_job_no_attempt(child, sent):
    child(f"exit {away.STORE}")
    job = make()
    for _ in range(4):
        tasks.run_job(str(job.pk))
    job.refresh_from_db()
    assert (job.status, job.max_attempts - job.attempt, job.error_code) == ("QUEUED", 3, "")


def test_a_job_without_anybody_waiting_rings_nobody(child, sent):
    child("exit 0", before=lambda job: jobs.finish_job(job=job, now=timezone.now()))
    tasks.run_job(str(make(then="").pk))
    assert sent == []


def test_a_job_that_somebody_else_has_is_left_alone(child, sent):
    started = child("exit 0")
    job = make()
    jobs.claim_job(job_id=job.pk, now=timezone.now(), lease=timedelta(seconds=60))
    tasks.run_job(str(job.pk))
    assert (started, sent) == ([], [])


def test_a_cancelled_job_ends_its_child_even_if_it_is_deaf(child, sent):
    started = child(
        "trap '' TERM; while true; do sleep 0.05; done",
        before=lambda job: jobs.request_cancel(job_id=job.pk, now=timezone.now()),
    )
    job = make()
    tasks.run_job(str(job.pk))
    job.refresh_from_db()
    assert job.status == "CANCELLED"
    assert started[0].poll() == -9


def test_a_child_whose_lease_was_lost_is_stopped_and_the_job_stays_with_its_holder(child, sent):
    def lose(job):
        Job.objects.filter(pk=job.pk).update(holder=uuid.UUID(int=5))

    started = child("sleep 60", before=lose)
    job = make()
    tasks.run_job(str(job.pk))
    job.refresh_from_db()
    assert (job.status, job.holder) == ("RUNNING", uuid.UUID(int=5))
    assert started[0].poll() == -15


def test_the_lease_is_renewed_while_the_child_works(child, sent):
    seen = []

    def note(job):
        seen.append(Job.objects.get(pk=job.pk).heartbeat_at)

    child("sleep 0.2", before=note)
    job = make()
    tasks.run_job(str(job.pk))
    job.refresh_from_db()
    assert job.heartbeat_at > seen[0]


def test_a_child_computes_with_one_thread_and_reproducibly(monkeypatch, settings, tmp_path):
    manage = tmp_path / "manage.py"
    manage.write_text(
        "import json, os, sys\n"
        "told = {name: os.environ.get(name) for name in ('OMP_NUM_THREADS', 'PYTHONHASHSEED')}\n"
        f"open({str(tmp_path / 'told')!r}, 'w').write(json.dumps([sys.argv[1:], told]))\n"
    )
    settings.BASE_DIR = tmp_path
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    job = claimed()
    assert tasks._start_child(job).wait() == 0
    assert (tmp_path / "told").read_text() == (
        f'[["run_job", "{job.pk}", "--holder", "{job.holder}"], '
        '{"OMP_NUM_THREADS": "1", "PYTHONHASHSEED": "0"}]'
    )


@pytest.mark.skipif(sys.platform != "linux", reason="prctl is Linux's")
def test_a_child_does_not_outlive_its_worker(settings):
    """The worker is killed with kill -9; its child must not go on as a second holder."""
    script = (
        "import django, os, signal, subprocess\n"
        "django.setup()\n"
        "from lineage.tasks import _die_with_parent as die\n"
        "child = subprocess.Popen(['sleep', '60'], start_new_session=True, preexec_fn=die)\n"
        "print(child.pid, flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    worker = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=False,
        cwd=settings.BASE_DIR,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings"},
    )
    pid = int(worker.stdout)
    for _ in range(200):
        if not alive(pid):
            return
        subprocess.run(["sleep", "0.01"], check=True)
    raise AssertionError("the child outlived its worker")


def alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"
    except OSError:
        return False


def test_what_dead_processes_left_in_the_store_goes_by_itself(settings, tmp_path, caplog):
    """It may hold somebody's data, and no erasure would find it."""
    old, young = (artifacts.stage(one) for one in (b"of one who left", b"on its way"))
    os.utime(tmp_path / "store" / old.uri, (1, 1))
    with caplog.at_level("WARNING", logger="expunge.worker"):
        tasks.sweep_daily()
    assert [uri for uri, _ in artifacts.listing("staging")] == [young.uri]
    assert "1 files that no row speaks of" in caplog.text
    assert settings.CELERY_BEAT_SCHEDULE["store"]["task"] == tasks.sweep_daily.name


@pytest.mark.django_db(transaction=True)  # a connection is closed
def test_a_database_that_is_away_for_a_beat_does_not_stop_the_child(sent, monkeypatch, caplog):
    job = make()
    renew = jobs.renew_lease
    away = iter([OperationalError("gone"), OperationalError("still gone")])

    def flaky(**arguments: Any):  # noqa: ANN401  (passed on)
        for error in away:
            raise error
        return renew(**arguments)

    monkeypatch.setattr(jobs, "renew_lease", flaky)
    monkeypatch.setattr(tasks, "_start_child", lambda _job: subprocess.Popen(["sleep", "0.4"]))
    tasks.run_job(str(job.pk))
    job.refresh_from_db()
    assert job.status == "RUNNING"  # the child, not its parent, says how it ended
    assert next(away, None) is None
    assert caplog.text.count("was not renewed: OperationalError") == 2


@pytest.mark.django_db(transaction=True)  # a connection is closed
def test_a_child_is_stopped_before_a_lease_that_nobody_renews_lapses(
    sent, settings, monkeypatch, caplog
):
    settings.EXPUNGE_LEASE_SECONDS = 1  # with a beat of half a second
    job = make()
    children = []

    def start(_job):
        children.append(subprocess.Popen(["sleep", "60"]))
        return children[0]

    def gone(**_arguments: Any) -> None:  # noqa: ANN401  (passed on)
        raise OperationalError("gone")

    monkeypatch.setattr(jobs, "renew_lease", gone)
    monkeypatch.setattr(jobs, "release_job", gone)
    monkeypatch.setattr(tasks, "_start_child", start)
    tasks.run_job(str(job.pk))
    assert children[0].returncode == -signal.SIGTERM
    job.refresh_from_db()
    assert (job.status, job.lease_until > timezone.now()) == ("RUNNING", True)
    assert "the end of" in caplog.text  # was not written; the sweeper finds the lease lapsed
    after = job.lease_until + timedelta(seconds=1)
    assert jobs.take_back_lapsed(now=after, lease=timedelta(seconds=60)) == 1
