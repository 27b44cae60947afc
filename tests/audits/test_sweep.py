"""What the sweep does goes on although one part of it fails."""

from __future__ import annotations

from typing import Any

import pytest

from audits.services import late
from audits.workflow import tasks

pytestmark = pytest.mark.django_db


def test_a_damaged_chunk_does_not_stop_the_sweep(world, monkeypatch, caplog):
    advanced: list[Any] = []
    monkeypatch.setattr(late, "open_late_cases", lambda **_: 1 / 0)
    monkeypatch.setattr(tasks, "advance", advanced.append)
    case = world.accepted()
    advanced.clear()
    tasks.sweep()
    assert advanced == [case.pk]
    assert "a step of the sweep failed" in caplog.text
