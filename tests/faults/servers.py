"""A Valkey and a PostgreSQL that can be stopped and started again at the same address."""

from __future__ import annotations

import contextlib
import os
import signal
import tempfile
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import psycopg
from psycopg.sql import SQL, Identifier

from config.services import postgres, valkey
from config.services.children import Child, Command, start, stop, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

# What was committed must be there after a crash of the server, if not of the machine.
LASTING = ("-c", "synchronous_commit=on")


@dataclass
class Server:
    """A server program that is started, stopped, and started again."""

    command: Command
    log: Path
    url: str
    folder: Path
    kind: str
    _child: Child | None = field(default=None, init=False)

    def start(self) -> None:
        """Start it and wait until it answers."""
        self._child = start(self.command, log=self.log, orphan_signal=signal.SIGKILL)
        if self.kind == "postgresql":
            postgres._wait_ready(self._child, self.folder / "data")
            return
        up = wait_until(lambda: valkey.answers(self.folder / "socket"), seconds=10)
        assert up, self._child.last_lines(5)

    def stop(self, *, signum: signal.Signals = signal.SIGINT) -> None:
        """Stop it without asking its clients; SIGQUIT lets PostgreSQL write nothing more."""
        if self._child is not None:
            stop(self._child, grace=10, signum=signum)
            self._child = None


@contextlib.contextmanager
def valkey_server(*, host: str = "") -> Iterator[Server]:
    """Yield a running Valkey, which other machines reach where ``host`` is an address."""
    with valkey.private_place(valkey.find_server(os.environ)) as place:
        folder = place.address.parent
        url = f"redis://{host}:6379/0" if host else place.url
        more = ("--port", "6379", "--bind", host, "--protected-mode", "no") if host else ()
        server = Server(_with(place.command, *more), place.log, url, folder, "valkey")
        with _running(server):
            yield server


@contextlib.contextmanager
def postgres_server(*, host: str = "") -> Iterator[Server]:
    """Yield a running PostgreSQL with an empty database ``postgres``.

    Other machines of its network reach it at port 5432 where ``host`` is an address; its own URL
    is that of the socket.
    """
    account = postgres._unprivileged()
    with tempfile.TemporaryDirectory(prefix="expunge-pg-") as name:
        folder = Path(name)
        if account:
            os.chown(folder, account.uid, account.gid)
        programs = postgres._within_reach(postgres.find_binaries(os.environ), account, folder)
        postgres._create(programs, folder, account)
        plain = postgres._server(programs, folder, account)
        lasting = _with(plain, *LASTING, *(("-h", host) if host else ()))
        if host:
            with (folder / "data" / "pg_hba.conf").open("a") as file:
                file.write(f"host all all {host}/24 trust\n")
        url = f"postgresql://postgres@/postgres?host={quote(name)}"
        server = Server(lasting, folder / "log", url, folder, "postgresql")
        with _running(server):
            yield server


def _with(command: Command, *words: str) -> Command:
    return replace(command, argv=(*command.argv, *words))


@contextlib.contextmanager
def _running(server: Server) -> Iterator[None]:
    server.start()
    try:
        yield
    finally:
        server.stop()


def copied(server: Server, *, name: str, source: str) -> str:
    """Make a database anew from another one; return its URL."""
    with psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute(SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(Identifier(name)))
        words = SQL("CREATE DATABASE {} TEMPLATE {}")
        connection.execute(words.format(Identifier(name), Identifier(source)))
    return server.url.replace("/postgres?", f"/{name}?")
