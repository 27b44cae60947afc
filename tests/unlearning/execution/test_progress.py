"""How far a job is, and whether it is to stop."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from lineage.models import Job
from lineage.services import jobs
from unlearning.execution import reporting

pytestmark = pytest.mark.django_db


def test_progress_is_written_at_most_once_a_second_and_at_the_end(world, monkeypatch):
    clock = iter([10.0, 10.2, 10.4, 11.1, 11.2])
    monkeypatch.setattr(reporting, "time", SimpleNamespace(monotonic=lambda: next(clock)))
    written = []
    monkeypatch.setattr(jobs, "report_progress", lambda **told: written.append(told["done"]))
    report = reporting.reporter(Job(), "Training")
    for done in range(1, 6):
        report("", done, 5)
    assert written == [1, 4, 5]


def test_progress_tells_how_long_the_rest_takes_where_it_is_asked_to(monkeypatch):
    clock = SimpleNamespace(now=0.0)
    monkeypatch.setattr(reporting, "time", SimpleNamespace(monotonic=lambda: clock.now))
    written = []
    monkeypatch.setattr(jobs, "report_progress", lambda **told: written.append(told["left"]))
    report = reporting.reporter(Job(), "Shadow models 1 to 16", estimate=True)
    for done in (6, 7, 9, 16):  # six were there before
        clock.now += 20
        report("", done, 16)
    assert written == [
        "",
        "about 3 min left",
        "about 2 min left",
        "",
    ]


def test_a_job_is_asked_at_most_once_a_second_whether_it_is_to_stop(monkeypatch):
    clock, asked = SimpleNamespace(now=0.0), []
    monkeypatch.setattr(reporting, "time", SimpleNamespace(monotonic=lambda: clock.now))

    class Rows:
        def filter(self, **sought: object) -> Rows:
            asked.append(sought)
            return self

        def exists(self) -> bool:
            return len(asked) == 2

    monkeypatch.setattr(reporting, "Job", SimpleNamespace(objects=Rows()))
    cancelled, job = reporting.cancel_asked(Job()), []
    for _ in range(6):
        clock.now += 0.5
        job.append(cancelled())
    assert job == [False, False, False, True, True, True]
    assert len(asked) == 2
