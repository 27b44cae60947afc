"""Read settings from the environment, with sentences for what cannot be understood."""

from __future__ import annotations

import json
import os
import socket
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

_ALLOWED = (
    "Allowed are postgresql://user:password@host:port/name and sqlite:///path/to/file; in a "
    "password, write @ as %40, / as %2F and : as %3A."
)


Network = IPv4Network | IPv6Network

# Which decisions a second member of staff approves; the first is the default.
SECOND_PERSON = ("ALWAYS", "REFUSALS", "NEVER")


def flag(name: str, *, default: bool) -> bool:
    """Return a yes/no variable."""
    value = os.environ.get(name, "").strip().lower()
    if value in {"1", "true", "yes", "on"}:
        return True
    if value in {"0", "false", "no", "off"}:
        return False
    if value:
        raise ImproperlyConfigured(f"{name} is {value!r}; allowed are true and false.")
    return default


def integer(name: str, *, default: int, low: int = 1, high: int | None = None) -> int:
    """Return a whole number not below ``low``, and not above ``high`` where that is given."""
    value = os.environ.get(name, "").strip()
    try:
        number = int(value) if value else default
    except ValueError:
        number = low - 1
    if number < low:
        raise ImproperlyConfigured(f"{name} is {value!r}; a whole number >= {low} is needed.")
    if high is not None and number > high:
        raise ImproperlyConfigured(f"{name} is {value!r}; a whole number <= {high} is needed.")
    return number


def number(name: str, *, default: float) -> float:
    """Return a number that is not negative."""
    value = os.environ.get(name, "").strip()
    try:
        found = float(value) if value else default
    except ValueError:
        found = -1.0
    if not 0 <= found < float("inf"):
        raise ImproperlyConfigured(f"{name} is {value!r}; a number >= 0 is needed.")
    return found


def mapping(name: str, *, default: dict[str, Any]) -> dict[str, Any]:
    """Return a JSON object."""
    value = os.environ.get(name, "").strip()
    try:
        found = json.loads(value) if value else default
    except (ValueError, RecursionError):  # no JSON, or a number or a depth beyond all use
        found = None
    if not isinstance(found, dict):
        raise ImproperlyConfigured(
            f'{name} is {value!r}; a JSON object such as {{"a": 1}} is needed.'
        )
    return found


def choice(name: str, allowed: tuple[str, ...]) -> str:
    """Return one of some words; the first is the default."""
    value = os.environ.get(name, "").strip().upper() or allowed[0]
    if value not in allowed:
        raise ImproperlyConfigured(f"{name} is {value!r}; allowed are {' and '.join(allowed)}.")
    return value


def words(name: str, *, default: list[str]) -> list[str]:
    """Return a comma-separated list."""
    value = os.environ.get(name, "")
    return [word.strip() for word in value.split(",") if word.strip()] or default


def secret_in(path: str) -> str:
    """Return what a file holds, without white space around it; "" where it cannot be read."""
    try:
        return Path(path).read_text().strip() if path else ""
    except (OSError, UnicodeDecodeError):  # a check says so
        return ""


def networks(name: str) -> tuple[Network, ...]:
    """Return a comma-separated list of networks; an address is a network of its own."""
    found = []
    for word in words(name, default=[]):
        try:
            found.append(ip_network(word))
        except ValueError:
            raise ImproperlyConfigured(
                f"{name} has {word!r}; allowed are addresses and networks such as 10.1.0.0/16."
            ) from None
    return tuple(found)


def database(url: str, *, sqlite_path: Path, lease: int = 60) -> dict[str, Any]:
    """Return Django's settings of the database at ``url``; empty means SQLite at the path.

    ``lease`` is in seconds: what a server that is cut off may take to be missed goes by it.

    Raises:
        ImproperlyConfigured: the URL is not one that Expunge can use.
    """
    if not url:
        return _sqlite(str(sqlite_path))
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:  # which repeats a part of the URL, and a password may be in that
        raise ImproperlyConfigured(f"DATABASE_URL is no URL. {_ALLOWED}") from None
    if parts.scheme not in {"postgres", "postgresql", "sqlite"}:
        raise ImproperlyConfigured(f"DATABASE_URL has the scheme {parts.scheme!r}. {_ALLOWED}")
    name = unquote(parts.path)
    if not name.strip("/"):
        raise ImproperlyConfigured(f"DATABASE_URL names no database. {_ALLOWED}")
    if parts.scheme == "sqlite":
        return _sqlite(name)
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": name.strip("/"),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": query.pop("host", parts.hostname or ""),
        "PORT": str(port or ""),
        "OPTIONS": {
            **_patience(lease),
            "prepare_threshold": _threshold(query.pop("prepare_threshold", "5")),
            **query,
        },
        "CONN_HEALTH_CHECKS": True,
    }


def _patience(lease: int) -> dict[str, Any]:
    """Return how long client and server wait for one another when the network between them goes.

    By themselves they wait for a quarter of an hour and two hours. A worker must know before its
    lease is over that it cannot be renewed, and locks of a machine that is gone must not stop the
    others.
    """
    quarter = max(2, lease // 4)
    server = {
        # Compiling a query costs 75 ms, and the questions to lineage take one.
        "jit": "off",
        "idle_in_transaction_session_timeout": f"{max(60, lease)}s",
        "tcp_keepalives_idle": quarter,
        "tcp_keepalives_interval": max(1, quarter // 3),
        "tcp_keepalives_count": 3,
        "tcp_user_timeout": f"{quarter}s",
    }
    return {
        "options": " ".join(f"-c {name}={value}" for name, value in server.items()),
        "connect_timeout": quarter,
        "keepalives_idle": quarter,
        "keepalives_interval": max(1, quarter // 3),
        "keepalives_count": 3,
        "tcp_user_timeout": 1_000 * quarter,
    }


def missed_after(seconds: int) -> dict[int, int]:
    """Return the options of a TCP connection that fails when nothing answers for so long."""
    wanted = {
        "TCP_KEEPIDLE": seconds,
        "TCP_KEEPINTVL": max(1, seconds // 3),
        "TCP_KEEPCNT": 3,
        "TCP_USER_TIMEOUT": 1_000 * seconds,
    }  # not every system has all of them
    known = {name: getattr(socket, name, None) for name in wanted}
    return {option: wanted[name] for name, option in known.items() if option is not None}


def _threshold(value: str) -> int | None:
    """Return after how many times a statement is prepared; empty means never."""
    if value and not value.isdecimal():
        raise ImproperlyConfigured(
            f"DATABASE_URL has prepare_threshold={value!r}; a whole number is needed, or nothing "
            "where statements may not be prepared."
        )
    return int(value) if value else None


def _sqlite(path: str) -> dict[str, Any]:
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": path,
        "OPTIONS": {
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            # Deleted personal data must not stay readable in free pages of the file.
            "init_command": (
                "PRAGMA journal_mode=WAL;PRAGMA synchronous=FULL;PRAGMA secure_delete=ON;"
            ),
        },
        "TEST": {"NAME": None},
    }
