"""Fresh databases for the parts of a benchmark, each a copy of one with empty tables; kept ones.

Making the tables takes seconds and there are many parts, so it is done once for each engine and
process. All parts use one private PostgreSQL server, one after the other. A kept one has a folder.
"""

from __future__ import annotations

import atexit
import json
import os
import shutil
import subprocess
import sys
import tempfile
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import cache
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_FILE = "expunge.sqlite3"
_kept = ExitStack()
atexit.register(_kept.close)
_numbers = count(1)


@contextmanager
def fresh(engine: str) -> Iterator[dict[str, str]]:
    """Yield the environment of a process that finds empty tables."""
    with tempfile.TemporaryDirectory() as home:
        if engine == "sqlite":
            shutil.copy(_sqlite(), Path(home) / _FILE)
            yield _environment(home)
            return
        name = f"part{next(_numbers)}"
        _on_server(f"CREATE DATABASE {name} TEMPLATE {_postgresql()}")
        yield _environment(home, _server().replace("/postgres?", f"/{name}?"))
        _on_server(f"DROP DATABASE {name}")


@contextmanager
def kept(engine: str, home: Path) -> Iterator[dict[str, str]]:
    """Yield the environment of a process that finds what an earlier one left in a folder.

    Its tables are brought to what the code expects; in a new folder they are empty.
    """
    own, server = home.resolve() / engine, home.resolve() / "server"
    own.mkdir(parents=True, exist_ok=True)
    with ExitStack() as running:
        environment = _environment(str(own))
        if engine != "sqlite":
            from config.services.postgres import find_binaries, postgres_in  # noqa: PLC0415

            server.mkdir(exist_ok=True)
            url = running.enter_context(postgres_in(server, find_binaries(os.environ)))
            environment = _environment(str(own), url)
        child("benchmarks.installation:make_tables", {}, environment)
        yield environment


def chosen(engine: str, home: Path | None) -> AbstractContextManager[dict[str, str]]:
    """Return what ``kept`` gives in a folder; without one what ``fresh`` gives."""
    return kept(engine, home) if home else fresh(engine)


def child(function: str, arguments: Mapping[str, Any], environment: Mapping[str, str]) -> Any:  # noqa: ANN401
    """Return what ``module:function`` gives in a process of its own."""
    done = subprocess.run(  # noqa: S603  (our own module)
        [sys.executable, "-m", "benchmarks.installation", function, json.dumps(arguments)],
        env=dict(environment),
        cwd=Path(__file__).resolve().parents[1],
        stdout=subprocess.PIPE,
        check=True,
    )
    return json.loads(done.stdout.splitlines()[-1])


@cache
def _sqlite() -> Path:
    """Return a file with empty tables."""
    home = _until_the_end(tempfile.TemporaryDirectory())
    child("benchmarks.installation:make_tables", {}, _environment(home))
    return Path(home) / _FILE


@cache
def _postgresql() -> str:
    """Return the name of a database with empty tables."""
    _on_server("CREATE DATABASE blank")
    home = _until_the_end(tempfile.TemporaryDirectory())
    url = _server().replace("/postgres?", "/blank?")
    child("benchmarks.installation:make_tables", {}, _environment(home, url))
    return "blank"


@cache
def _server() -> str:
    """Start a server and return its address."""
    from config.services.postgres import find_binaries, throwaway_postgres  # noqa: PLC0415

    url: str = _until_the_end(throwaway_postgres(find_binaries(os.environ)))
    return url


def _on_server(statement: str) -> None:
    import psycopg  # noqa: PLC0415

    with psycopg.connect(_server(), autocommit=True) as link:
        link.execute(statement)


def _until_the_end(what: Any) -> Any:  # noqa: ANN401  (any context manager)
    """Enter something that is left when this process ends."""
    return _kept.enter_context(what)


def _environment(home: str, url: str = "") -> dict[str, str]:
    own = {**os.environ, "EXPUNGE_HOME": home, "DJANGO_SETTINGS_MODULE": "config.settings"}
    own.pop("DATABASE_URL", None)
    return {**own, "DATABASE_URL": url} if url else own
