"""TCP ports: whether one is free, and what to say when it is not."""

from __future__ import annotations

import contextlib
import errno
import socket


class PortNotUsable(RuntimeError):
    """The site cannot listen where it was told to."""


_LAST_PORT = 65_535
_REASONS = {
    errno.EADDRINUSE: "is in use; choose another with --port",
    errno.EACCES: "may not be opened by this user; choose one from 1024 up with --port",
    errno.EADDRNOTAVAIL: "is not an address of this machine; choose another with --host",
}


def require_free(port: int, *, host: str = "127.0.0.1") -> None:
    """Return when a server can listen on ``host`` and ``port``.

    Raises:
        PortNotUsable: a sentence with the reason and the remedy.
    """
    if not 0 < port <= _LAST_PORT:  # the system would take the remainder, silently
        raise PortNotUsable(
            f"Port {port} does not exist; choose one from 1 to {_LAST_PORT} with --port."
        )
    try:
        with _bound(host, port):
            return
    except socket.gaierror:
        message = f"The host {host!r} is unknown; name one of this machine with --host."
    except OSError as error:
        reason = _REASONS.get(error.errno or 0, f"cannot be opened ({error.strerror})")
        message = f"Port {port} on {host} {reason}."
    raise PortNotUsable(message)


def free_port(*, host: str = "127.0.0.1") -> int:
    """Return a port that was free a moment ago; another program may still take it."""
    with _bound(host, 0) as listener:
        port: int = listener.getsockname()[1]
        return port


def listening(port: int, *, host: str = "127.0.0.1") -> bool:
    """Whether something accepts connections on ``host`` and ``port``."""
    try:
        with socket.create_connection((host, port), timeout=1.0):
            return True
    except OSError:
        return False


def _bound(host: str, port: int) -> socket.socket:
    """Return a socket bound as gunicorn binds it: closed connections of the port do not count."""
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    with contextlib.ExitStack() as cleanup:
        listener = cleanup.enter_context(socket.socket(family, kind, protocol))
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        cleanup.pop_all()
    return listener
