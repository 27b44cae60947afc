from __future__ import annotations

import logging
from datetime import timedelta

import pytest
from django.db import DatabaseError
from django.utils import timezone

from config import health
from config.redaction import RedactSecretLinks
from lineage.models import Job


@pytest.fixture(autouse=True)
def static(settings, tmp_path):
    settings.STATIC_ROOT = tmp_path


@pytest.mark.django_db
def test_a_quiet_installation_is_healthy(client):
    response = client.get("/healthz")
    assert response.json() == {
        "database": "ok",
        "jobs_queued": 0,
        "jobs_running": 0,
        "oldest_queued_seconds": None,
    }
    assert "no-store" in response.headers["Cache-Control"]


@pytest.mark.django_db
def test_work_that_piles_up_is_seen(client):
    created = timezone.now() - timedelta(minutes=5)
    for key in ("a", "b"):
        Job.objects.create(
            key=key, kind="PLAN", queue="lineage", payload_id="0" * 32, created_at=created
        )
    found = client.get("/healthz").json()
    assert found["jobs_queued"] == 2
    assert 300 <= found["oldest_queued_seconds"] < 400


@pytest.mark.django_db
def test_a_database_that_does_not_answer_is_a_503(client, monkeypatch):
    def refuse(_):
        raise DatabaseError

    monkeypatch.setattr(health, "backlog", refuse)
    response = client.get("/healthz")
    assert (response.status_code, response.json()) == (503, {"database": "unreachable"})


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
    assert RedactSecretLinks().filter(record)
    assert record.getMessage() == logged
