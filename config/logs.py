"""How processes log: lines on standard error, without the secrets of links.

They are cut out of what is written, not of the record: the text of an exception is no part of its
message. Both forms do so.
"""

from __future__ import annotations

import json
import logging
import traceback
from copy import copy
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from config.redaction import without_addresses, without_links
from lineage.core import spans
from lineage.core.log_context import about

if TYPE_CHECKING:
    from types import TracebackType

REQUEST_ID = "expunge.request_id"  # where a request keeps its id
CELERY_TRACE = "celery.app.trace"  # what says how a task ended


class TextLine(logging.Formatter):
    """A line to read, and the trace of an exception below it, with what it says.

    That may repeat what somebody typed, so addresses of e-mail are cut out of it. Whoever keeps
    logs chooses JSON, which does not repeat it at all.
    """

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        told = copy(record)  # which other handlers write in their own way
        told.msg, told.args, told.exc_text = _message(record), (), None
        return without_links(super().format(told))

    def formatException(self, ei: Any) -> str:  # noqa: ANN401, N802  (of the library)
        """Return the trace."""
        return without_addresses(super().formatException(ei))


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
            "message": without_links(_message(record)),
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
            "LINE": {"()": TextLine},
            "JSON": {"()": JsonLine},
        },
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": form}},
        "loggers": {
            # A seal that is refused is told in a sentence; its trace is not an error of ours.
            "pyhanko": {"level": "CRITICAL"},
            "pyhanko_certvalidator": {"level": "CRITICAL"},
            "httpx": {"level": "WARNING"},  # it writes whole addresses, passwords included
        },
        "root": {"handlers": ["stderr"], "level": level},
    }
