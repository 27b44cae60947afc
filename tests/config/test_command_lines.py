"""Ports and command lines of what is started, and the runner of tests."""

from __future__ import annotations

import os
import socket
import sys
from contextlib import nullcontext

import pytest

from config.services import commands, ports, postgres
from tests import services
from tests.config.programs import NOTHING

# --- Ports ------------------------------------------------------------------------------------


def test_a_port_in_use_is_refused_with_the_remedy():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        assert ports.listening(port)
        sentence = rf"^Port {port} on 127\.0\.0\.1 is in use; choose another with --port\.$"
        with pytest.raises(ports.PortNotUsable, match=sentence):
            ports.require_free(port)
    assert not ports.listening(port)


def test_a_free_port_is_accepted():
    ports.require_free(ports.free_port())


@pytest.mark.parametrize("port", [-1, 0, 65_536, 70_000])
def test_a_port_that_does_not_exist_is_refused(port):
    with pytest.raises(ports.PortNotUsable, match="does not exist; choose one from 1 to 65535"):
        ports.require_free(port)


def test_an_address_of_another_machine_is_refused():
    with pytest.raises(ports.PortNotUsable, match="not an address of this machine"):
        ports.require_free(8000, host="203.0.113.5")


# --- Command lines ----------------------------------------------------------------------------


def test_workers_serve_every_queue_once():
    light, heavy = commands.light_worker({}), commands.heavy_worker({})
    queues = [argv[argv.index("-Q") + 1] for argv in (light.argv, heavy.argv)]
    assert queues == ["intake,lineage,report", "heavy"]
    assert all(command.argv[:5] == (sys.executable, "-m", "celery", "-A", "config")
               for command in (light, heavy))  # fmt: skip
    device = commands.heavy_worker({"EXPUNGE_DEVICE": " CUDA"}).argv
    assert device[device.index("-Q") + 1] == "gpu,heavy"
    assert "light@%h" in light.argv
    assert heavy.argv[heavy.argv.index("-c") + 1] == "1"


def test_the_scheduler_keeps_its_file_where_it_is_told(tmp_path):
    assert f"--schedule={tmp_path / 'beat'}" in commands.beat({}, schedule=tmp_path / "beat").argv


@pytest.mark.parametrize(("host", "bind"), [("127.0.0.1", "127.0.0.1"), ("::1", "[::1]")])
def test_the_web_server_listens_where_it_is_told(host, bind):
    assert f"--bind={bind}:8001" in commands.web({}, host=host, port=8001).argv


def test_processes_compute_with_one_thread_unless_told_otherwise():
    environ = commands.heavy_worker({"MKL_NUM_THREADS": "4", "HOME": "/h"}).env
    assert environ["OMP_NUM_THREADS"] == "1"
    assert environ["MKL_NUM_THREADS"] == "4"
    assert environ["HOME"] == "/h"


# --- The runner of tests ----------------------------------------------------------------------


def test_the_runner_hands_over_its_servers_and_the_exit_code(tmp_path):
    given = {
        "DATABASE_URL": "postgresql://me@/tests?host=/sockets",
        "REDIS_URL": "redis://elsewhere:6379/0",
    }
    code = (
        "import os, pathlib, sys; names = 'DATABASE_URL', 'REDIS_URL', 'EXPUNGE_TEST_DATABASE'; "
        "pathlib.Path(sys.argv[1]).write_text(' '.join(os.environ[n] for n in names)); sys.exit(7)"
    )
    told = tmp_path / "told"
    assert services.main([sys.executable, "-c", code, str(told)], given) == 7
    assert told.read_text().split() == [*given.values(), "postgresql"]


def test_the_runner_puts_the_programs_of_its_server_first(monkeypatch, tmp_path):
    """Those of another release, found on PATH, refuse to dump a newer server."""
    monkeypatch.setattr(services, "find_binaries", lambda _: tmp_path)
    monkeypatch.setattr(services, "throwaway_postgres", lambda _: nullcontext("postgresql:///x"))
    given = {**NOTHING, "PATH": "/usr/bin", "REDIS_URL": "redis://x"}
    code = "import os, sys; sys.exit(os.environ['PATH'] != sys.argv[1])"
    path = f"{tmp_path}{os.pathsep}/usr/bin"
    assert services.main([sys.executable, "-c", code, path], given) == 0


@pytest.mark.parametrize(("ci", "code"), [("true", 1), ("", 0)])
def test_the_runner_fails_without_servers_only_in_ci(monkeypatch, capsys, ci, code):
    monkeypatch.setattr(postgres, "wheel_binaries", lambda: None)
    assert services.main([sys.executable, "-V"], {**NOTHING, "CI": ci}) == code
    assert "No PostgreSQL was found" in capsys.readouterr().err


def test_the_runner_says_what_is_wrong_with_its_command(capsys):
    given = {"DATABASE_URL": "postgresql:///x", "REDIS_URL": "redis://x"}
    assert services.main([], given) == 2
    assert services.main(["/no/such/program"], given) == 127
    assert "/no/such/program cannot be run" in capsys.readouterr().err
