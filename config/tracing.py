"""Traces: who records the spans of cases in this process, and who carries them to the next.

``lineage/core/spans.py`` says what a span is. Here OpenTelemetry records and exports them, and
Celery's messages carry where they come from. Its packages are the extra ``traces``; they are
imported only where traces are on.
"""

from __future__ import annotations

import logging
from contextlib import ExitStack
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from celery.signals import (
    before_task_publish,
    task_postrun,
    task_prerun,
    worker_process_shutdown,
)
from django.conf import settings

from lineage.core import spans
from lineage.core.recorded import TRACEPARENT

if TYPE_CHECKING:
    from config.recording import Recording

logger = logging.getLogger("expunge.traces")
NEEDED = "opentelemetry.exporter.otlp.proto.http"
_recording: list[Recording] = []
_tasks: dict[str, ExitStack] = {}


def switch_on(*, serves: bool = False) -> None:
    """Record spans, if the settings want it and the packages are there.

    ``serves``: of a process that answers requests, and may not let them wait for an export.
    """
    if not settings.EXPUNGE_TRACES or not installed():
        return
    from config.recording import Recording  # noqa: PLC0415  (an extra, that may be missing)

    _recording[:] = [Recording(in_background=serves)]
    spans.use(_recording[0])
    before_task_publish.connect(_send)
    task_prerun.connect(_begin)
    task_postrun.connect(_end)
    worker_process_shutdown.connect(_flush)


def switch_off() -> None:
    """Record nothing any more; what is recorded is exported."""
    spans.use(None)
    for recording in _recording:
        recording.close()
    _recording.clear()


def installed() -> bool:
    """Return whether the packages of the extra ``traces`` are there."""
    try:
        return find_spec(NEEDED) is not None
    except ModuleNotFoundError:  # a package above it is missing
        return False


def _send(headers: dict[str, Any], **_: Any) -> None:  # noqa: ANN401  (Celery's signature)
    headers.update(spans.carried())


def _begin(task_id: str, task: Any, **_: Any) -> None:  # noqa: ANN401  (Celery's signature)
    told = getattr(task.request, TRACEPARENT, "") or ""
    stack = ExitStack()
    stack.enter_context(spans.received(str(told), task.name))
    _tasks[task_id] = stack


def _end(task_id: str, retval: object = None, **_: Any) -> None:  # noqa: ANN401  (the same)
    stack = _tasks.pop(task_id, None)
    if stack is not None:
        error = retval if isinstance(retval, BaseException) else None
        stack.__exit__(type(error) if error else None, error, None)
    _flush()


def _flush(**_: Any) -> None:  # noqa: ANN401  (the same)
    for recording in _recording:
        recording.flush()
