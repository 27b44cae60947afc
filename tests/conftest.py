"""Every test has an installation of its own: nothing is read from or written to ``var``."""

from __future__ import annotations

import gc
import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from fsspec.implementations.memory import MemoryFileSystem

from audits import keys
from tests.append_only import transactional_tests_may_flush  # noqa: F401  (a fixture)
from tests.engines import nothing_to_repeat, one_will_do
from tests.migrated import (  # noqa: F401  (fixtures)
    django_db_modify_db_settings,
    django_db_setup,
    migrated_file,
    own_database,
    template,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.audits.world import World

# Each key that is made waits for the disk; memory does not make it wait.
MEMORY, ENOUGH = Path("/dev/shm"), 4 << 30
# Django's own are slow on purpose, and its test client logs in without them.
QUICK_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
LONG = "EXPUNGE_TEST_LONG"  # set by `make long`
DATABASE_FIXTURES = {"db", "transactional_db", "own_database", "template"}


def pytest_configure() -> None:
    """Keep the folders of tests in memory, where there is room."""
    gc.disable()  # until all is imported, which is there to stay
    if os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > ENOUGH:
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))


def pytest_collection_finish() -> None:
    """Look for garbage among what the tests make, not among what they were collected from."""
    gc.freeze()
    gc.enable()


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Do not import what the second pass would leave out afterwards."""
    markers = str(config.getoption("markexpr", default=""))
    return True if nothing_to_repeat(collection_path, markers) else None


@pytest.hookimpl(tryfirst=True)  # before -m selects
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what uses the database, so that it runs on PostgreSQL as well, and what need not."""
    for item in items:
        used = DATABASE_FIXTURES.intersection(getattr(item, "fixturenames", ()))
        if used or item.get_closest_marker("django_db"):
            item.add_marker(pytest.mark.database)
        if one_will_do(item.path):
            item.add_marker(pytest.mark.one_engine)
        if item.get_closest_marker("long") and LONG not in os.environ:
            item.add_marker(pytest.mark.skip(reason="takes minutes: make long"))


@pytest.fixture(autouse=True)
def torch_begins_alike() -> None:
    """Seed torch, which pytest-randomly does not, where a test before has loaded it."""
    if torch := sys.modules.get("torch"):
        torch.default_generator.manual_seed(0)


@pytest.fixture(autouse=True)
def installation(settings, tmp_path) -> Path:
    """Keys, store, journal, broker and whatever is exported lie in a folder of this test."""
    settings.VAR = tmp_path
    settings.KEYS = tmp_path / "keys"
    settings.SECRET_KEY_KEPT = True  # as after set-up
    settings.EXPUNGE_STORE = f"file://{tmp_path / 'store'}"
    settings.EXPUNGE_JOURNAL = tmp_path / "journal" / "erasures.jsonl"
    settings.BROKER_FOLDER = tmp_path / "broker"
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    settings.EMAIL_FILE_PATH = tmp_path / "mail"
    settings.PASSWORD_HASHERS = QUICK_HASHERS
    home: Path = tmp_path
    return home


@pytest.fixture
def signing_key(installation):
    """The key that signs the log of this test's installation."""
    keys.create_signing_key()
    return keys.signing_key()


@pytest.fixture
def rung(monkeypatch) -> list[tuple[str, ...]]:
    """What the doorbell said: task, id, queue."""
    heard: list[tuple[str, ...]] = []

    def send(*message: str) -> None:
        heard.append(message)

    monkeypatch.setattr("audits.workflow.doorbell.send", send)
    monkeypatch.setattr("audits.workflow.tasks.send", send)
    return heard


@pytest.fixture
def world(
    db, signing_key, settings, monkeypatch, rung, django_capture_on_commit_callbacks
) -> World:
    """Digits of eight people, exact retraining at once, and reports that are not set."""
    from tests.audits.world import build

    MemoryFileSystem.store.clear()  # it looks at every file there is for each that it is asked for
    settings.EXPUNGE_STORE = "memory://store"  # no disk to wait for
    settings.EXPUNGE_POLICY = {
        "audit_data": "own_records",
        "looks": [6],
        "max_trainings": 12,
        "margin_utility": 0.99,  # of two short epochs, one retraining is far worse than another
    }
    settings.EXPUNGE_METHOD, settings.EXPUNGE_METHOD_SETTINGS = "retrain", {}
    monkeypatch.setattr("audits.execution.edition_files.write_all", lambda _job: None)
    return build(rung, django_capture_on_commit_callbacks)


@pytest.fixture
def approximate(world, settings) -> None:
    """An approximate method first, audited with six shadow models per arm."""
    settings.EXPUNGE_METHOD, settings.EXPUNGE_METHOD_SETTINGS = "finetune", {"epochs": 1}


@pytest.fixture
def ruled(approximate, monkeypatch) -> Callable[..., None]:
    """Shadow models that nobody trains, and verdicts that are said beforehand, in turn."""
    from tests.audits.rulings import rule

    return lambda *outcomes: rule(monkeypatch, outcomes)
