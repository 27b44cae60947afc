"""Whether this process can serve, and whether all that it works with is well.

What stops pages from being answered is asked each time. The rest is kept for some seconds, so
that a flood of calls writes no files and opens no connections.
"""

from __future__ import annotations

import logging
import os
import time
from typing import TYPE_CHECKING

import redis
from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from audits.queries.watched import last_sweep, log_numbers, seconds_since
from audits.queries.worker_signs import without_worker
from config.services.valkey import client_url
from lineage import artifacts
from lineage.services.missing_erasures import replay_needed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

logger = logging.getLogger("expunge.readiness")
OK = "ok"
# Two checkpoints are an hour apart; twice that, and nobody signs any more.
UNSIGNED_SECONDS = 7_200
# So many sweeps may fail to come, but a minute at least.
SWEEPS, SWEEP_SECONDS = 6, 60
BROKER_SECONDS = 2


def database() -> str:
    """Say whether the database answers."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return OK


def migrations() -> str:
    """Say whether the tables are those of this release, or newer ones."""
    executor = MigrationExecutor(connection)
    missing = len(executor.migration_plan(executor.loader.graph.leaf_nodes()))
    return f"{missing} missing: run manage.py migrate" if missing else OK


def set_up() -> str:
    """Say whether sessions and links are signed with the key that all processes have.

    A process that was started before set-up wrote it must be started anew.
    """
    return OK if settings.SECRET_KEY_KEPT else "not set up: run manage.py setup, then start anew"


def erasures() -> str:
    """Say whether a restored backup waits for its erasures."""
    return "run manage.py replay_erasures" if replay_needed() else OK


def store() -> str:
    """Say whether a file can be written and deleted."""
    try:
        artifacts.destroy(artifacts.stage(b"ready").uri)
    except artifacts.StoreFull:
        return "full"
    except (OSError, artifacts.ArtefactRemains):
        return "not writable"
    return OK


def broker() -> str:
    """Say whether messages can be sent; without it work is found by the sweeper, later."""
    if not settings.REDIS_URL:
        return OK if os.access(settings.BROKER_FOLDER, os.W_OK) else "not writable"
    limits = {"socket_connect_timeout": BROKER_SECONDS, "socket_timeout": BROKER_SECONDS}
    try:
        with redis.Redis.from_url(client_url(settings.REDIS_URL), **limits) as link:
            link.ping()
    except redis.RedisError:
        return "unreachable"
    return OK


def log_head() -> str:
    """Say whether the newest events are covered by a signed checkpoint, or will be soon."""
    waiting = log_numbers(timezone.now()).unsigned_age or 0
    return OK if waiting < UNSIGNED_SECONDS else f"unsigned for {waiting:.0f} seconds"


def sweep() -> str:
    """Say whether scheduler and light worker are there: together they sweep."""
    mark = last_sweep()
    if mark is None:
        return "not yet"
    age = seconds_since(mark.ended_at, timezone.now())
    allowed = max(SWEEP_SECONDS, SWEEPS * settings.EXPUNGE_SWEEP_SECONDS)
    return OK if age <= allowed else f"{age:.0f} seconds ago"


def workers() -> str:
    """Say whether every queue has a worker, be it idle or busy."""
    missing = without_worker(timezone.now())
    return f"none for {', '.join(missing)}" if missing else OK


# Without these no page is answered.
SERVING: Mapping[str, Callable[[], str]] = {
    "database": database,
    "migrations": migrations,
    "set_up": set_up,
    "erasures": erasures,
}
# Without these work waits. A process that is taken away for them would take the public form away.
WORKING: Mapping[str, Callable[[], str]] = {
    "store": store,
    "broker": broker,
    "log_head": log_head,
    "sweep": sweep,
    "workers": workers,
}
# For how many seconds an answer is kept; tables that were there once do not go.
KEPT_SECONDS = {"migrations": 10.0, "store": 30.0}
KEPT_SECONDS |= dict.fromkeys(("broker", "log_head", "sweep", "workers"), 5.0)
_kept: dict[str, tuple[float, str]] = {}


def said(names: Mapping[str, Callable[[], str]]) -> dict[str, str]:
    """Return what each check says: ``ok``, or what is wrong; never anything of a person."""
    return {name: _asked(name, check) for name, check in names.items()}


def forget() -> None:
    """Ask everything again the next time."""
    _kept.clear()


def _asked(name: str, check: Callable[[], str]) -> str:
    until, answer = _kept.get(name, (0.0, ""))
    if time.monotonic() < until:
        return answer
    try:
        answer = check()
    except DatabaseError:
        return "unreachable" if name == "database" else "unknown: the database does not answer"
    except Exception as error:  # of a store's own library, say, or one that is not installed
        logger.exception("the check %s could not be made", name)
        answer = f"failed: {type(error).__name__}"
    for_good = name == "migrations" and answer == OK
    kept = float("inf") if for_good else time.monotonic() + KEPT_SECONDS.get(name, 0.0)
    _kept[name] = (kept, answer)
    return answer
