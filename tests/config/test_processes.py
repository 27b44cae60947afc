"""Processes are watched, started again, and stopped with their children."""

from __future__ import annotations

import os
import signal
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from config.services import ports, valkey
from config.services.children import Command, sigterm_closes, start, stop, wait_until
from config.services.processes import NameTaken, Program, ProgramFailed, Supervisor
from config.stage import _broker, _started

if TYPE_CHECKING:
    from pathlib import Path

SLEEPER = "import sys, time; print('up', flush=True); time.sleep(600)"


def python(code: str, *arguments: str) -> Command:
    return Command(argv=(sys.executable, "-c", code, *arguments), env=dict(os.environ))


def program(tmp_path: Path, name: str, code: str) -> Program:
    return Program(name=name, command=python(code), log=tmp_path / f"{name}.log", grace=5.0)


def test_programs_stop_in_reverse_order(tmp_path):
    heard: list[str] = []
    with Supervisor(say=heard.append) as supervisor:
        children = [supervisor.start(program(tmp_path, name, SLEEPER)) for name in "abc"]
        assert all(child.alive for child in children)
    assert not any(child.alive for child in children)
    assert heard[3:] == ["c has stopped", "b has stopped", "a has stopped"]


def test_a_dead_program_is_named_with_its_last_lines(tmp_path):
    log = tmp_path / "worker.log"
    log.write_text("words of an earlier run\n")
    code = "import sys; print('connecting', flush=True); sys.exit('no broker at home')"
    with Supervisor() as supervisor:
        # It has to be up first, as a program that dies at once fails already in `start`.
        supervisor.start(program(tmp_path, "web", SLEEPER))
        patient = program(tmp_path, "worker", SLEEPER)
        worker = supervisor.start(replace(patient, healthy=lambda: b"up" in log.read_bytes()))
        worker.process.kill()
        with pytest.raises(ProgramFailed, match=r"^worker was ended by SIGKILL.*\nup$"):
            supervisor.watch(seconds=10)
    with (
        Supervisor() as supervisor,
        pytest.raises(ProgramFailed, match=r"(?s)exit code 1\..*connecting\nno broker at home$"),
    ):
        supervisor.start(replace(program(tmp_path, "worker", code), healthy=lambda: False))
    assert "earlier" not in worker.last_lines(50)


def test_a_program_that_may_restart_does_so_and_then_fails(tmp_path):
    with Supervisor() as supervisor:
        first = supervisor.start(replace(program(tmp_path, "worker", SLEEPER), restarts=1))
        first.process.kill()
        first.process.wait()
        supervisor.check()
        second = supervisor._running["worker"].child
        assert second.alive
        assert second.process.pid != first.process.pid
        second.process.kill()
        second.process.wait()
        with pytest.raises(ProgramFailed, match="SIGKILL"):
            supervisor.check()


def test_restarts_of_another_time_do_not_count(tmp_path):
    """Or a site whose worker is killed once a week would be gone within a month."""
    with Supervisor() as supervisor:
        mortal = replace(program(tmp_path, "worker", SLEEPER), restarts=1, window=0.05)
        supervisor.start(mortal)
        for _ in range(3):
            child = supervisor._running["worker"].child
            child.process.kill()
            child.process.wait()
            supervisor.check()
            wait_until(lambda: False, seconds=0.06)  # the window


def test_one_that_is_unwell_after_its_restart_does_not_end_the_others(tmp_path):
    """What it needs, a database perhaps, may be away for a while."""
    answers = iter([True])
    well = replace(program(tmp_path, "web", SLEEPER), healthy=lambda: next(answers, False))
    with Supervisor() as supervisor:
        other = supervisor.start(program(tmp_path, "worker", SLEEPER))
        first = supervisor.start(replace(well, restarts=1, patience=0.05))
        first.process.kill()
        first.process.wait()
        supervisor.check()
        assert other.alive
        assert supervisor._running["web"].child.alive


def test_a_private_broker_that_was_killed_answers_again_at_the_same_address(monkeypatch):
    monkeypatch.delenv("REDIS_URL", raising=False)
    with _broker() as found, Supervisor() as supervisor:
        assert isinstance(found, valkey.Private)
        assert _started(found, supervisor) == f"redis+socket://{found.address}"
        child = supervisor._running["broker"].child
        child.process.kill()
        child.process.wait()
        supervisor.check()
        assert wait_until(lambda: valkey.answers(found.address), seconds=10)


def test_a_program_that_is_never_healthy_is_given_up(tmp_path):
    unwell = replace(program(tmp_path, "web", SLEEPER), healthy=lambda: False, patience=0.05)
    with (
        Supervisor() as supervisor,
        pytest.raises(ProgramFailed, match=r"^web was not healthy after 0\.05 seconds\."),
    ):
        supervisor.start(unwell)


def test_a_name_is_given_once(tmp_path):
    with Supervisor() as supervisor:
        supervisor.start(program(tmp_path, "web", SLEEPER))
        with pytest.raises(NameTaken, match="'web' is running already"):
            supervisor.start(program(tmp_path, "web", SLEEPER))


def test_a_child_deaf_to_sigterm_is_killed_with_its_own_children(tmp_path):
    code = (
        "import signal, subprocess, sys, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "port = sys.argv[1]\n"
        "serve = 'import socket, sys, time; s = socket.create_server((\"127.0.0.1\", '\n"
        "serve += 'int(sys.argv[1]))); time.sleep(600)'\n"
        "subprocess.Popen((sys.executable, '-c', serve, port))\n"
        "time.sleep(600)\n"
    )
    port = ports.free_port()
    child = start(python(code, str(port)), log=tmp_path / "log")
    assert wait_until(lambda: ports.listening(port), seconds=10)
    stop(child, grace=0.05)
    assert child.ending == "was ended by SIGKILL"
    assert wait_until(lambda: not ports.listening(port), seconds=5)


def test_sigterm_closes_what_is_open():
    with pytest.raises(SystemExit) as left, sigterm_closes():
        signal.raise_signal(signal.SIGTERM)
    assert left.value.code == 143
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
