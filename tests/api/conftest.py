"""One world for all tests of a module, as making it takes longer than asking about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.conf import settings as installed
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, transaction
from django.test import override_settings

from audits.services import log
from tests.api.worlds import NOON, whole_world
from tests.audits.sealed_cases import use_folder

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.api.worlds import ApiWorld


@pytest.fixture(scope="module")
def made(
    django_db_setup, django_db_blocker, tmp_path_factory
) -> Iterator[tuple[ApiWorld, object]]:
    """The world, in a transaction that is undone in the end, and the folder of its keys."""
    folder = tmp_path_factory.mktemp("api")
    with django_db_blocker.unblock(), override_settings(), transaction.atomic():
        use_folder(installed, folder)
        world = whole_world()
        log.checkpoint(now=NOON)
        yield world, folder
        transaction.set_rollback(True)


@pytest.fixture
def shared(made, db, installation, settings) -> Iterator[ApiWorld]:
    """The world of the module; what a test writes is undone."""
    world, folder = made
    settings.KEYS = folder / "keys"
    settings.EXPUNGE_STORE = f"file://{folder / 'store'}"
    settings.EXPUNGE_JOURNAL = folder / "journal.jsonl"
    settings.EXPUNGE_API_PER_MINUTE = 0
    # The transaction of the test is the only one, as with Django's own test client.
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield world
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)
