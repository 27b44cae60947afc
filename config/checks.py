"""System checks of an installation."""

from __future__ import annotations

import sqlite3
from typing import Any

from django.conf import settings
from django.core import checks

# SQLite before this version may corrupt a WAL database when a write meets a checkpoint.
REPAIRED = (3, 51, 3)


@checks.register()
def sqlite_is_repaired(**_: Any) -> list[checks.CheckMessage]:  # noqa: ANN401  (Django's signature)
    """Warn of an SQLite that is not safe with several processes."""
    engine = settings.DATABASES["default"]["ENGINE"]
    if "sqlite3" not in engine or sqlite3.sqlite_version_info >= REPAIRED:
        return []
    return [
        checks.Warning(
            f"SQLite {sqlite3.sqlite_version} may corrupt its file when several workers write.",
            hint="Install pysqlite3>=0.6.1 (make setup does on Linux), or use PostgreSQL through "
            "DATABASE_URL.",
            id="expunge.W001",
        )
    ]
