"""What Prometheus reads: who may, that the numbers are right, and that they are of nobody."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from audits.models import ErasureRequest, Letter
from audits.queries import clocks
from audits.workflow import tasks
from config import readiness, watching_checks
from config.metrics import ADDED_UP
from lineage.models import Job
from tests.audits import bare_cases

pytestmark = pytest.mark.django_db
# The labels that there are, and what their values look like: names of ours.
LABELS = {
    "check": r"[a-z_]+",
    "kind": r"[A-Z]+",
    "le": r"[0-9.]+|\+Inf",
    "method": r"[A-Z]+",
    "outcome": r"[A-Z]+",
    "owner": r"[0-9a-f-]{36}",
    "queue": r"[a-z]+",
    "route": r"[\w.:-]+",
    "status": r"[A-Z_]+|[0-9]{3}",
}


@pytest.fixture(autouse=True)
def near(settings):
    settings.EXPUNGE_METRICS = True
    settings.EXPUNGE_METRICS_NETWORKS = ["127.0.0.0/8"]
    settings.REDIS_URL = ""
    readiness.forget()
    yield
    readiness.forget()


def read(client):
    """Every sample as ``{name: {labels: value}}``."""
    response = client.get("/metrics")
    assert response.status_code == 200
    found: dict[str, dict[tuple[tuple[str, str], ...], float]] = {}
    for family in text_string_to_metric_families(response.text):
        for sample in family.samples:
            labels = tuple(sorted(sample.labels.items()))
            found.setdefault(sample.name, {})[labels] = sample.value
    return found


def test_they_are_for_those_alone_who_may_read_them(client, settings, tmp_path):
    def status(**headers: str):
        return client.get("/metrics", headers=headers).status_code

    assert status() == 200
    assert status(x_forwarded_for="127.0.0.1") == 404  # passed on by a proxy on this machine
    settings.EXPUNGE_METRICS_NETWORKS = ["10.0.0.0/8"]
    assert status() == 404
    token = tmp_path / "token"
    settings.EXPUNGE_METRICS_TOKEN_FILE = str(token)
    assert status(authorization="Bearer ") == 404
    token.write_text("open sesame\n")
    assert status(authorization="Bearer open sesame") == 200
    assert status(authorization="Bearer open") == 404
    assert status(authorization="Basic open sesame") == 404
    settings.EXPUNGE_METRICS = False
    assert status(authorization="Bearer open sesame") == 404


def test_settings_that_let_nobody_in_are_refused_with_a_sentence(settings):
    assert watching_checks.metrics_can_be_read() == []
    settings.EXPUNGE_METRICS_NETWORKS = ["ten"]
    (error,) = watching_checks.metrics_can_be_read()
    assert "'ten'" in error.msg
    settings.EXPUNGE_METRICS_NETWORKS = []
    (error,) = watching_checks.metrics_can_be_read()
    assert "nobody may read" in error.msg
    settings.EXPUNGE_METRICS_TOKEN_FILE = "/nowhere"
    (error,) = watching_checks.metrics_can_be_read()
    assert "'/nowhere'" in error.msg


def make_work(now):
    """A job that waits for five minutes, one that runs silently, and two that ended."""
    minute = timedelta(minutes=1)
    for number, more in enumerate(
        (
            {"created_at": now - 5 * minute},
            {
                "status": "RUNNING",
                "holder": "0" * 31 + "1",
                "heartbeat_at": now - 2 * minute,
                "created_at": now,
            },
            {"status": "SUCCEEDED", "started_at": now - 3 * minute, "ended_at": now - minute},
            {"status": "SUCCEEDED", "started_at": now - 5 * minute, "ended_at": now - minute},
            {"status": "CANCELLED", "ended_at": now},
            {"status": "FAILED", "ended_at": now - timedelta(days=2)},
        )
    ):
        Job.objects.create(
            **{
                "key": str(number),
                "kind": "PLAN",
                "queue": "lineage",
                "payload_id": "0" * 32,
                "created_at": now - timedelta(days=3),
                **more,
            }
        )


def test_numbers_of_the_database_are_right(client, signing_key):
    case = bare_cases.verified_case("ada@example.org")
    today = timezone.now()
    ErasureRequest.objects.filter(pk=case.pk).update(due_on=today.date() - timedelta(days=3))
    make_work(today)
    tasks.sweep()
    found = read(client)
    assert found["expunge_cases"] == {(("status", "VERIFIED"),): 1}
    assert found["expunge_cases_overdue"][()] == 1
    assert found["expunge_cases_due_soon"][()] == 0
    lineage = (("queue", "lineage"),)
    assert found["expunge_queue_jobs_waiting"][lineage] == 1
    assert found["expunge_queue_jobs_running"][lineage] == 1
    assert 300 <= found["expunge_queue_oldest_seconds"][lineage] < 360
    assert 120 <= found["expunge_job_heartbeat_seconds"][()] < 180
    plans = (("kind", "PLAN"), ("outcome", "SUCCEEDED"))
    assert found["expunge_jobs_ended_day"][plans] == 2
    assert found["expunge_job_mean_seconds_day"][plans] == pytest.approx(180)
    assert found["expunge_job_most_seconds_day"][plans] == pytest.approx(240)
    assert (("kind", "PLAN"), ("outcome", "FAILED")) not in found["expunge_jobs_ended_day"]
    assert found["expunge_log_events"][()] > found["expunge_log_unsigned_events"][()]
    assert found["expunge_sweep_failed_steps"][()] == 0
    assert found["expunge_ready"][(("check", "sweep"),)] == 1


def pressing_case(days: int, **changes: object) -> ErasureRequest:
    """Somebody's case that is due in so many days."""
    mailbox = f"{ErasureRequest.objects.count()}@example.org"
    case = bare_cases.verified_case(mailbox)
    due = clocks.today(timezone.now()) + timedelta(days=days)
    ErasureRequest.objects.filter(pk=case.pk).update(due_on=due, **changes)
    return case


def told(case: ErasureRequest, code: str) -> None:
    now = timezone.now()
    Letter.objects.create(
        request=case, code=code, sent_at=now, state="SENT", locale="en", created_at=now
    )


def test_those_who_wait_for_an_answer_are_counted_as_the_list_of_the_overdue_does(client):
    pressing_case(-3)
    pressing_case(-3, status="SEALED", outcome="ERASED")  # its answer never left
    pressing_case(3, status="SEALED", outcome="ERASED")
    pressing_case(0)
    pressing_case(40)
    for code, days, changes in (
        ("RESTRICTED", -3, {"kind": "RESTRICTION", "status": "RESTRICTED"}),
        ("RESTRICTED", 3, {"kind": "RESTRICTION", "status": "RESTRICTED"}),
        ("ANSWER_REFUSED", -3, {"status": "REFUSED", "outcome": "REFUSED"}),
        ("ANSWER_ERASED", -3, {"status": "SEALED", "outcome": "ERASED"}),
    ):
        told(pressing_case(days, **changes), code)
    found = read(client)
    today = clocks.today(timezone.now())
    assert found["expunge_cases_overdue"][()] == clocks.overdue(today).count() == 2
    assert found["expunge_cases_due_soon"][()] == 2


def test_requests_are_counted_by_the_name_of_their_page_and_not_by_address(client):
    before = read(client)
    client.get("/erasure/status/a-secret-token/")
    client.post("/erasure/check/", {"email": "ada@example.org"})
    client.generic("BREW", "/cases/")
    client.get("/ada@example.org")
    found = read(client)
    old = before.get("expunge_http_requests_total", {})
    new = {k for k, n in found["expunge_http_requests_total"].items() if n > old.get(k, 0)}
    routes = {dict(labels)["route"] for labels in new}
    assert {"audits:status", "audits:ask_check", "none"} <= routes
    assert "OTHER" in {dict(labels)["method"] for labels in new}
    assert sum(found["expunge_form_posts_total"].values()) == 1 + sum(
        before.get("expunge_form_posts_total", {}).values()
    )


def test_no_label_is_of_a_person(client, signing_key):
    bare_cases.verified_case("ada@example.org")
    make_work(timezone.now())
    tasks.sweep()
    client.get("/erasure/status/a-secret-token/")
    client.get("/models/?q=ada@example.org")
    text = client.get("/metrics").text
    assert "ada" not in text.replace("lineage", "")
    assert "secret" not in text
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            for label, value in sample.labels.items():
                assert re.fullmatch(LABELS[label], value), f"{sample.name}: {label}={value}"


def test_a_database_that_is_away_is_told_and_not_an_error(client, monkeypatch):
    from django.db import DatabaseError

    def away(*_: object):
        raise DatabaseError

    monkeypatch.setattr("config.metrics.families", away)
    monkeypatch.setitem(readiness.SERVING, "database", away)
    found = read(client)
    assert found["expunge_ready"][(("check", "database"),)] == 0
    assert "expunge_cases" not in found


SEVERAL = """
import os, sys
from prometheus_client import CollectorRegistry, Counter, multiprocess
made = CollectorRegistry()
count = Counter("expunge_http_requests", "x", ("route",), registry=made)
if os.fork() == 0:
    count.labels(route="form").inc(2); os._exit(0)
os.wait(); count.labels(route="form").inc(3)
sys.path.insert(0, "."); os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
import django; django.setup()
from config import metrics
from django.conf import settings
from django.test import RequestFactory
settings.EXPUNGE_METRICS, settings.EXPUNGE_METRICS_NETWORKS = True, ["127.0.0.1"]
metrics.FromDatabase.collect = lambda _: ()
print(metrics.metrics(RequestFactory().get("/metrics")).content.decode())
"""


def test_counts_of_several_processes_add_up(tmp_path):
    import os
    import subprocess
    import sys

    environ = {**os.environ, ADDED_UP: str(tmp_path), "EXPUNGE_HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", SEVERAL], env=environ, capture_output=True, text=True, check=False
    )
    assert 'expunge_http_requests_total{route="form"} 5.0' in done.stdout, done.stderr
