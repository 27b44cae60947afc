"""A web process, and then a worker until a search has ended, as two processes of one program.

``python -m tests.config.traced_site`` prints the id of the case. The worker starts the child of
its job as always, so there are three. They have the database, the broker and the trace in common.
"""

from __future__ import annotations

import os
import sys

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

from celery.exceptions import WorkerShutdown  # noqa: E402  (once the apps are loaded)
from celery.signals import task_postrun  # noqa: E402
from django.conf import settings  # noqa: E402
from django.test import Client  # noqa: E402
from django.utils import timezone  # noqa: E402

from audits import keys  # noqa: E402
from audits.services import requests  # noqa: E402
from config import celery_app, tracing  # noqa: E402
from lineage.services.locations import NewLocation, register_location  # noqa: E402

LAST = "audits.job_ended"
PLACE = NewLocation(
    slug="accounts",
    kind="django_model",
    purpose="accounts",
    settings={"model": "auth.User", "field": "email"},
)


def confirm(token: str) -> None:
    """Be a web process: answer the person, whose browser sends a trace of its own."""
    tracing.switch_on(serves=True)
    client = Client(
        SERVER_NAME="localhost", headers={"traceparent": f"00-{'a' * 32}-{'b' * 16}-01"}
    )
    answer = client.post(f"/erasure/confirm/{token}/?email=ada@example.org")
    assert answer.status_code in (200, 302), answer
    tracing.switch_off()


def work() -> None:
    """Be a worker, until a job has ended and its case went on."""

    @task_postrun.connect
    def stop(task: object, **_: object) -> None:
        if getattr(task, "name", "") == LAST:
            raise WorkerShutdown(0)

    celery_app.worker_main(
        ["worker", "--pool=solo", "--queues=intake,lineage", "--loglevel=ERROR"]
    )


def main() -> None:
    """Have somebody ask of whom nothing is known, who confirms in one process; work in another."""
    settings.BROKER_FOLDER.mkdir(parents=True, exist_ok=True)
    keys.create_signing_key()
    register_location(new=PLACE, now=timezone.now())
    received = requests.receive_request(
        email="ada@example.org", channel="FORM", now=timezone.now()
    )
    sys.stdout.write(f"{received.request.pk}\n")
    sys.stdout.flush()
    if (web := os.fork()) == 0:
        confirm(received.confirm_token)
        os._exit(0)
    _, ended = os.waitpid(web, 0)
    assert ended == 0
    work()


if __name__ == "__main__":
    main()
