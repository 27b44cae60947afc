from __future__ import annotations

import json
import logging
from datetime import timedelta

import pytest
from django.db import DatabaseError, transaction
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone

from audits.services import log
from audits.services.worker_signs import give_sign
from audits.workflow import tasks
from config import readiness
from config.logs import JsonLine, TextLine
from lineage.core.queues import QUEUES
from lineage.models import Job


@pytest.fixture(autouse=True)
def static(settings, tmp_path):
    settings.STATIC_ROOT = tmp_path


@pytest.fixture(autouse=True)
def asked_anew():
    readiness.forget()
    yield
    readiness.forget()


def test_a_process_lives_whatever_becomes_of_the_database(client, django_db_blocker):
    with django_db_blocker.block():
        response = client.get("/healthz", headers={"host": "10.0.0.7:8000"})  # as a probe calls
    assert (response.status_code, response.json()) == (200, {"status": "alive"})
    assert "no-store" in response.headers["Cache-Control"]


@pytest.mark.django_db
def test_a_quiet_installation_can_serve(client):
    response = client.get("/readyz")
    assert response.status_code == 200
    assert response.json() == {
        "status": "ready",
        "checks": dict.fromkeys(["database", "migrations", "set_up", "erasures"], "ok"),
        "jobs_queued": 0,
        "jobs_running": 0,
        "oldest_queued_seconds": None,
    }


@pytest.mark.django_db
def test_work_that_piles_up_is_seen(client):
    created = timezone.now() - timedelta(minutes=5)
    for key in ("a", "b"):
        Job.objects.create(
            key=key, kind="PLAN", queue="lineage", payload_id="0" * 32, created_at=created
        )
    found = client.get("/readyz").json()
    assert found["jobs_queued"] == 2
    assert 300 <= found["oldest_queued_seconds"] < 400


@pytest.mark.django_db
def test_a_database_that_does_not_answer_is_a_503(client, monkeypatch):
    def refuse():
        raise DatabaseError

    monkeypatch.setitem(readiness.SERVING, "database", refuse)
    response = client.get("/readyz")
    assert response.status_code == 503
    assert response.json()["checks"]["database"] == "unreachable"


@pytest.mark.django_db
def test_tables_of_an_older_release_are_a_503_and_those_of_a_newer_one_are_not(client):
    MigrationRecorder.Migration.objects.create(app="audits", name="9999_of_tomorrow")
    assert client.get("/readyz").status_code == 200
    readiness.forget()
    (_, newest), *_ = MigrationLoader(None).graph.leaf_nodes("audits")
    MigrationRecorder.Migration.objects.get(app="audits", name=newest).delete()
    response = client.get("/readyz")
    assert response.status_code == 503
    assert response.json()["checks"]["migrations"] == "1 missing: run manage.py migrate"


@pytest.mark.django_db
def test_a_process_from_before_set_up_gets_no_visitors(client, settings):
    settings.SECRET_KEY_KEPT = False  # it signs with a key that no other process has
    response = client.get("/readyz")
    assert response.status_code == 503
    assert "start anew" in response.json()["checks"]["set_up"]


def whole(client):
    """What everything says, asked anew."""
    readiness.forget()
    response = client.get("/readyz?all")
    wrong = {name: s for name, s in response.json()["checks"].items() if s != "ok"}
    assert response.status_code == (503 if wrong else 200)
    return wrong


@pytest.mark.django_db
def test_each_part_that_work_needs_is_missed(client, settings, tmp_path, monkeypatch, signing_key):
    settings.REDIS_URL = ""
    settings.BROKER_FOLDER.mkdir(parents=True)
    assert whole(client) == {
        "sweep": "not yet",
        "workers": "none for intake, lineage, heavy, report",
    }
    tasks.sweep()
    give_sign(name="all@one", queues=["intake", *QUEUES], now=timezone.now())
    assert whole(client) == {}
    now = timezone.now()
    later = now + timedelta(hours=3)
    monkeypatch.setattr(timezone, "now", lambda: later)
    with transaction.atomic():
        log.append(type="queue_paused", case=None, now=now, data={"queue": "heavy"})
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    file = tmp_path / "in the way"
    file.touch()
    settings.EXPUNGE_STORE = f"file://{file}/store"
    wrong = whole(client)
    assert set(wrong) == {"sweep", "store", "broker", "log_head", "workers"}
    assert (wrong["store"], wrong["broker"]) == ("not writable", "unreachable")
    assert client.get("/readyz").status_code == 200  # the public form is there all the same


@pytest.mark.django_db
def test_a_check_that_breaks_is_told_by_its_kind_and_the_others_are_told(
    client, monkeypatch, settings
):
    def break_down():
        raise ImportError("ada@example.org")

    monkeypatch.setitem(readiness.WORKING, "store", break_down)
    found = client.get("/readyz?all")
    assert (found.status_code, found.json()["checks"]["store"]) == (503, "failed: ImportError")
    settings.EXPUNGE_METRICS, settings.EXPUNGE_METRICS_NETWORKS = True, ["127.0.0.0/8"]
    assert 'expunge_ready{check="store"} 0.0' in client.get("/metrics").text


@pytest.mark.django_db
def test_a_flood_of_calls_writes_one_file(client, monkeypatch):
    written = []

    def write():
        written.append(1)
        return readiness.OK

    monkeypatch.setitem(readiness.WORKING, "store", write)
    for _ in range(5):
        client.get("/readyz?all")
    assert len(written) == 1


@pytest.mark.parametrize(
    ("message", "arguments", "logged"),
    [
        ("Gone: %s", ("/erasure/confirm/abc:def/",), "Gone: /erasure/confirm/[secret]/"),
        (
            "Not Found: /erasure/status/s3/record.json",
            (),
            "Not Found: /erasure/status/[secret]/record.json",
        ),
        ("Forbidden: %s", ("/erasure/received/",), "Forbidden: /erasure/received/"),
        ("nothing to hide, 100 %", (), "nothing to hide, 100 %"),
    ],
)
def test_a_secret_link_is_never_logged(message, arguments, logged):
    record = logging.LogRecord("django.request", 30, __file__, 1, message, arguments, None)
    assert TextLine().format(record).endswith(f" {logged}")
    assert json.loads(JsonLine().format(record))["message"] == logged
