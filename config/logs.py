"""How processes log: lines on standard error, without the secrets of links."""

from __future__ import annotations

from typing import Any


def to_stderr(level: str) -> dict[str, Any]:
    """Return Django's ``LOGGING`` for a level such as INFO."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
        "filters": {"secrets": {"()": "config.redaction.RedactSecretLinks"}},
        "handlers": {
            "stderr": {
                "class": "logging.StreamHandler",
                "formatter": "line",
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
