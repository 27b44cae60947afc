"""How processes log: lines on standard error, without the secrets of links."""

from __future__ import annotations

import json
import logging
import traceback
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from lineage.core import spans
from lineage.core.log_context import about

if TYPE_CHECKING:
    from types import TracebackType

REQUEST_ID = "expunge.request_id"  # where a request keeps its id
CELERY_TRACE = "celery.app.trace"  # what says how a task ended


class JsonLine(logging.Formatter):
    """One JSON object a line, with what the line is about.

    Of an exception it tells the kind and where it was raised, not what it says: that may repeat
    a value that somebody typed. A line of Celery about a task that failed would quote it, too.
    """

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        said: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": _message(record),
            **_of_request(record),
            **about(),
            **spans.ids(),
        }
        if record.exc_info and record.exc_info[0]:
            said["error"] = record.exc_info[0].__name__
            said["trace"] = _places(record.exc_info[2])
        return json.dumps(said, ensure_ascii=False)


def _message(record: logging.LogRecord) -> str:
    """Return what a line says; Celery quotes the exception of a task, here it is its kind."""
    told = record.args
    if record.name != CELERY_TRACE or not isinstance(told, dict) or "exc" not in told:
        return record.getMessage()
    kind = record.exc_info[0].__name__ if record.exc_info and record.exc_info[0] else "an error"
    return str(record.msg) % {**told, "exc": kind}


def _of_request(record: logging.LogRecord) -> dict[str, str]:
    """Return the id of the request that Django names in its own lines, as they come too late."""
    environ = getattr(getattr(record, "request", None), "META", {})
    return {"request": environ[REQUEST_ID]} if REQUEST_ID in environ else {}


def _places(trace: TracebackType | None) -> list[str]:
    frames = traceback.extract_tb(trace)
    return [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]


def to_stderr(level: str, form: str = "LINE") -> dict[str, Any]:
    """Return Django's ``LOGGING`` for a level such as INFO and a form, ``LINE`` or ``JSON``."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "LINE": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"},
            "JSON": {"()": JsonLine},
        },
        "filters": {"secrets": {"()": "config.redaction.RedactSecretLinks"}},
        "handlers": {
            "stderr": {
                "class": "logging.StreamHandler",
                "formatter": form,
                "filters": ["secrets"],
            }
        },
        "loggers": {
            # A seal that is refused is told in a sentence; its trace is not an error of ours.
            "pyhanko": {"level": "CRITICAL"},
            "pyhanko_certvalidator": {"level": "CRITICAL"},
            "httpx": {"level": "WARNING"},  # it writes whole addresses, passwords included
        },
        "root": {"handlers": ["stderr"], "level": level},
    }
