"""The Celery application. A task carries an opaque id and rings; the job row is the truth."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from typing import Any

from celery import Celery
from celery.signals import worker_process_init

from config.worker_signs import Signs

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("expunge")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.steps["consumer"].add(Signs)


@worker_process_init.connect
def _die_with_the_worker(**_: Any) -> None:  # noqa: ANN401  (Celery's signature)
    """End this pool process when the worker above it is killed, and its child job with it."""
    if sys.platform == "linux":
        pr_set_pdeathsig = 1
        ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGKILL)


def use_broker(url: str) -> None:
    """Point this process, which was started before the broker, at it."""
    from django.conf import settings  # noqa: PLC0415  (settings import this module's package)

    if url:
        app.conf.update(broker_url=url, broker_transport_options=settings.BROKER_OPTIONS_REDIS)
