"""The second execution has a time, and what it leaves running is not waited for."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from unlearning.core.replay.claims import NO_SECOND, Execution
from unlearning.execution import again
from unlearning.execution import elsewhere as module
from unlearning.execution.elsewhere import LEAST, TIMES, elsewhere, limit_of

DONE = Execution(work="w", digest="d", fingerprint={"threads": "1"}, first=3, process="p:1:2")


def run_of(predicted: float | None = None) -> Any:  # noqa: ANN401  (stands for a run)
    return SimpleNamespace(pk="run", retrain_seconds_predicted=predicted)


def recording(spent: int, visits: int) -> Any:  # noqa: ANN401  (stands for a recording)
    return SimpleNamespace(spent=spent, visits=visits)


@pytest.fixture
def child(settings, monkeypatch):
    """Let a script be the other process."""
    settings.EXPUNGE_REPLAY_TWICE = True

    def of(*command: str):
        monkeypatch.setattr(module, "COMMAND", command)

    return of


def test_what_the_other_process_says_last_is_what_came_out(child):
    child(sys.executable, "-c", f"print('warm'); print({json.dumps([DONE.as_dict()])!r})")
    assert elsewhere(run_of(), 60) == [DONE]


def test_one_that_fails_and_one_that_is_not_wanted_give_a_sentence(child, settings):
    child("sh", "-c", "echo broken >&2; exit 3")
    assert elsewhere(run_of(), 60) == module.FAILED
    settings.EXPUNGE_REPLAY_TWICE = False
    assert elsewhere(run_of(), 60) == NO_SECOND


def test_one_that_takes_too_long_is_stopped(child, tmp_path):
    note = tmp_path / "pid"
    child("sh", "-c", f"echo $$ > {note}; exec sleep 60")
    began = time.monotonic()
    said = elsewhere(run_of(), 0.3)
    assert time.monotonic() - began < 10
    assert isinstance(said, str)
    assert said.startswith("The second execution was stopped after 0 seconds")
    with pytest.raises(ProcessLookupError):
        _ask(int(note.read_text()))


def _ask(pid: int) -> None:
    import os

    os.kill(pid, 0)


def test_what_it_started_itself_and_still_runs_is_not_waited_for(child):
    child("sh", "-c", "sleep 20 & sleep 20")  # the first of them keeps the pipe open
    began = time.monotonic()
    assert isinstance(elsewhere(run_of(), 0.2), str)
    assert time.monotonic() - began < 10


@pytest.mark.parametrize(
    ("seconds", "spent", "visits", "predicted", "expected"),
    [
        (1.0, 100, 100, None, LEAST),
        (1000.0, 100, 100, None, TIMES * 1000),
        (1000.0, 25, 100, None, TIMES * 4000),
        (1000.0, 0, 100, None, TIMES * 1000),
        (1000.0, 100, 100, 3000.0, TIMES * 3000),
    ],
)
def test_the_time_grows_with_what_it_has_to_do(seconds, spent, visits, predicted, expected):
    assert limit_of(run_of(predicted), [recording(spent, visits)], seconds) == expected


@pytest.mark.skipif(sys.platform != "linux", reason="prctl is Linux's")
def test_it_ends_with_the_run_that_started_it(settings, monkeypatch):
    own = (
        "import os, time; from unlearning.execution.again import end_with_parent as end\n"
        "end(); print(os.getpid(), flush=True); time.sleep(60)"
    )
    first = (
        "import os, signal, subprocess, sys\n"
        f"child = subprocess.Popen([sys.executable, '-c', {own!r}], stdout=subprocess.PIPE)\n"
        "print(child.stdout.readline().decode(), flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    told = subprocess.run(
        [sys.executable, "-c", first],
        capture_output=True,
        text=True,
        check=False,
        cwd=settings.BASE_DIR,
    )
    _wait_until_gone(int(told.stdout))

    done: list[str] = []
    monkeypatch.setattr(again, "end_with_parent", lambda: done.append("bound"))
    monkeypatch.setattr("django.setup", lambda: done.append("set up"))
    monkeypatch.setattr(again, "executed", lambda _run: [])
    monkeypatch.setattr(sys, "argv", ["again", "run"])
    again.main()
    assert done == ["bound", "set up"]


def _wait_until_gone(pid: int) -> None:
    until = time.monotonic() + 10
    while time.monotonic() < until:
        try:
            if Path(f"/proc/{pid}/stat").read_text().split()[2] == "Z":
                return
        except OSError:
            return
        os.sched_yield()
    raise AssertionError("it outlived the run")
