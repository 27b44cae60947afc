"""A web process, and then a worker until a plan is drawn, as two processes of one program.

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

from audits import keys  # noqa: E402
from config import celery_app, tracing  # noqa: E402
from tests.audits.bare_cases import member, reviewer, verified_case  # noqa: E402

LAST = "audits.job_ended"


def approve(path: str) -> None:
    """Be a web process: answer the reviewer, whose browser sends a trace of its own."""
    tracing.switch_on(serves=True)
    client = Client(
        SERVER_NAME="localhost", headers={"traceparent": f"00-{'a' * 32}-{'b' * 16}-01"}
    )
    client.force_login(reviewer())
    answer = client.post(f"{path}?next=ada@example.org")
    assert answer.status_code == 302, answer
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
    """Make a case, have it approved in one process, and go on with it in another."""
    from audits.core.assessment import by_code
    from audits.services import deciding
    from tests.audits.bare_cases import CONSENT, NOW

    settings.BROKER_FOLDER.mkdir(parents=True, exist_ok=True)
    keys.create_signing_key()
    case = verified_case()
    proposed = deciding.accept_request(
        case_id=case.pk,
        assessed=by_code(CONSENT),
        user=member("officer", "Case officer"),
        now=NOW,
    )
    sys.stdout.write(f"{case.pk}\n")
    sys.stdout.flush()
    if (web := os.fork()) == 0:
        approve(f"/cases/{case.pk}/decisions/{proposed.pk}/approve/")
        os._exit(0)
    _, ended = os.waitpid(web, 0)
    assert ended == 0
    work()


if __name__ == "__main__":
    main()
