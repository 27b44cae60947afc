"""Fixtures of the tests that drive whole cases."""

from __future__ import annotations

import pytest

from audits.execution import reporting
from audits.workflow import doorbell, tasks
from tests.audits import world as worlds


@pytest.fixture
def rung(monkeypatch) -> list[tuple[str, str, str]]:
    """What the doorbell said: task, id, queue."""
    heard: list[tuple[str, str, str]] = []

    def send(*message: str) -> None:
        heard.append(message)  # type: ignore[arg-type]  # three words

    monkeypatch.setattr(doorbell, "send", send)
    monkeypatch.setattr(tasks, "send", send)
    return heard


@pytest.fixture
def without_reports(monkeypatch) -> None:
    """Jobs that write a report succeed without writing one."""
    monkeypatch.setattr(reporting, "write_report", lambda _job: None)


@pytest.fixture
def world(
    db, signing_key, settings, rung, without_reports, django_capture_on_commit_callbacks
) -> worlds.World:
    """Digits of eight people; audits of six models per arm on the person's own records."""
    settings.EXPUNGE_STORE = f"memory://{settings.VAR}"
    settings.EXPUNGE_POLICY = {"audit_data": "own_records", "looks": [6], "max_trainings": 12}
    settings.EXPUNGE_METHOD = "finetune"
    settings.EXPUNGE_METHOD_SETTINGS = {"epochs": 1}
    return worlds.build(rung, django_capture_on_commit_callbacks)
