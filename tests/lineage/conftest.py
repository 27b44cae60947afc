"""Fixtures of the lineage tests: every path lies in a temporary folder."""

from __future__ import annotations

import multiprocessing
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connections
from django.test import Client

from tests.lineage.buckets import new_bucket, s3_server
from tests.lineage.builders import filled, snapshot
from tests.lineage.remote import Script, key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture(autouse=True)
def home(settings, tmp_path: Path) -> Path:
    """Point keys, store and journal to a folder of this test."""
    settings.KEYS = tmp_path / "keys"
    settings.EXPUNGE_STORE = f"file://{tmp_path / 'store'}"
    settings.EXPUNGE_JOURNAL = tmp_path / "journal" / "erasures.jsonl"
    return tmp_path


@pytest.fixture(scope="session")
def s3() -> Iterator[str]:
    """The address of a server that speaks S3, without buckets."""
    with s3_server() as url:
        yield url


@pytest.fixture
def bucket(s3) -> str:
    """A store in a bucket of this test."""
    return f"s3://{new_bucket(s3)}/store"


@pytest.fixture
def now() -> datetime:
    """A fixed time."""
    return datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@pytest.fixture
def staff(db) -> Client:
    """The browser of a member of staff who may read cases."""
    client = Client()
    user = User.objects.create_user("staff", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="read_cases"))
    client.force_login(user)
    return client


@pytest.fixture
def processes(own_database):
    """Call a function in several processes, which all start it at the same moment."""
    fork = multiprocessing.get_context("fork")

    def run_at_once(function: Callable[[int], Any], count: int) -> list[Any]:
        barrier, results = fork.Barrier(count), fork.Queue()

        def child(number: int) -> None:
            _move_to(own_database)
            barrier.wait()
            try:
                results.put((number, function(number)))
            except Exception as error:  # noqa: BLE001  (raised again in the parent)
                results.put((number, error))

        started = [fork.Process(target=child, args=(number,)) for number in range(count)]
        for process in started:
            process.start()
        found = dict(results.get(timeout=60) for _ in started)
        for process in started:
            process.join()
        for result in found.values():
            if isinstance(result, Exception):
                raise result
        return [found[number] for number in range(count)]

    return run_at_once


_left: list[Any] = []


def _move_to(place: dict[str, Any]) -> None:
    """Use the other database from now on; the parent's connection is neither used nor closed."""
    _left.append(connections["default"])
    connections.settings["default"] = place
    del connections["default"]


@pytest.fixture
def taken(now):
    return snapshot(filled("faces", 9, now), now)


@pytest.fixture
def script(taken, live_server, tmp_path):
    return Script(live_server.url, tmp_path / "spool", str(taken.id), key())
