"""Run a command beside real servers: ``python -m tests.services COMMAND...``.

PostgreSQL and Valkey come from DATABASE_URL and REDIS_URL, else from PATH, else from the wheels.
The command finds them in those two variables, and EXPUNGE_TEST_DATABASE=postgresql beside them.
It finds pg_dump and pg_restore on PATH: a server given in DATABASE_URL needs them there already.
Where one is missing nothing runs: a failure when CI=true, elsewhere a sentence and success.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from typing import TYPE_CHECKING

from config.services.children import sigterm_closes
from config.services.postgres import NoPostgresServer, find_binaries, throwaway_postgres
from config.services.valkey import NoValkeyServer, broker

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_USAGE = 2
_NOT_FOUND = 127


def main(argv: Sequence[str], environ: Mapping[str, str]) -> int:
    """Run ``argv`` beside the servers and return its exit code, as a shell would give it."""
    if not argv:
        return _say("Name a command: python -m tests.services COMMAND...", _USAGE)
    try:
        with _servers(environ) as found:
            return _run(argv, found)
    except (NoPostgresServer, NoValkeyServer) as missing:
        if environ.get("CI") == "true":
            return _say(f"CI=true needs real servers. {missing}", 1)
        return _say(f"Skipped, as there is no server to test against. {missing}", 0)


@contextlib.contextmanager
def _servers(environ: Mapping[str, str]) -> Iterator[dict[str, str]]:
    with _database(environ) as database, broker(environ) as redis_url:
        yield {
            **environ,
            **database,
            "REDIS_URL": redis_url,
            "EXPUNGE_TEST_DATABASE": "postgresql",
        }


@contextlib.contextmanager
def _database(environ: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """Yield the URL; of a server that is started here, its own pg_dump is the first on PATH."""
    url = environ.get("DATABASE_URL", "")
    if url.startswith(("postgresql://", "postgres://")):
        yield {"DATABASE_URL": url}
        return
    programs = find_binaries(environ)
    path = os.pathsep.join((str(programs), environ.get("PATH", os.defpath)))
    with throwaway_postgres(programs) as url:
        yield {"DATABASE_URL": url, "PATH": path}


def _run(argv: Sequence[str], environ: Mapping[str, str]) -> int:
    try:
        code = subprocess.run(list(argv), env=environ, check=False).returncode
    except OSError as error:
        return _say(f"{argv[0]} cannot be run: {error.strerror}.", _NOT_FOUND)
    return code if code >= 0 else 128 - code


def _say(sentence: str, code: int) -> int:
    print(sentence, file=sys.stderr)
    return code


if __name__ == "__main__":
    with sigterm_closes():
        sys.exit(main(sys.argv[1:], os.environ))
