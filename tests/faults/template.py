"""The prepared installation, kept for as long as the code is the same."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from tests.faults import profile
from tests.faults.servers import Server, copied, postgres_server, valkey_server
from tests.faults.site import Site
from tests.functional.installation import ROOT
from tests.migrated import digest_of_code

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PREPARED = "prepared"
KEPT = ROOT / ".pytest_cache" / "faults"
MIGRATED = ROOT / ".pytest_cache" / "d" / "migrated"  # see tests/migrated.py


@dataclass(frozen=True, kw_only=True)
class Ground:
    """What rounds of one engine begin with: a home to copy, and the servers, if there are any."""

    home: Path
    database: Server | None = None
    broker: Server | None = None

    def site(self, home: Path) -> Site:
        """Return an installation of its own."""
        shutil.copytree(self.home, home, dirs_exist_ok=True)
        more: dict[str, str] = {}
        if self.database:
            more["DATABASE_URL"] = copied(self.database, name="faults", source=PREPARED)
        return Site(home=home, environ=more, database=self.database, broker=self.broker)


@contextlib.contextmanager
def ground(engine: str, say: Callable[[str], None]) -> Iterator[Ground]:
    """Yield what is prepared for an engine; that of SQLite is kept while the code is the same."""
    if engine == "sqlite":
        yield Ground(home=_kept(say))
        return
    with postgres_server() as database, valkey_server() as broker, TemporaryDirectory() as name:
        say("preparing data and models on PostgreSQL")
        home = Path(name) / "home"
        home.mkdir()
        fill(home, DATABASE_URL=copied(database, name=PREPARED, source="template1"))
        yield Ground(home=home, database=database, broker=broker)


def _kept(say: Callable[[str], None]) -> Path:
    digest = digest_of_code()
    name = f"{digest[:32]}-{profile.LANES}-{profile.PEOPLE}-{profile.STRANGERS}"
    found = KEPT / name
    if found.exists():
        return found
    say("preparing data and models")
    draft = KEPT / f"{name}.{os.getpid()}"
    draft.mkdir(parents=True)
    migrated = MIGRATED / f"{digest}.sqlite3"
    if migrated.exists():
        shutil.copy(migrated, draft / "expunge.sqlite3")
    fill(draft)
    for old in KEPT.iterdir():
        if not old.name.startswith(digest[:32]):
            shutil.rmtree(old)
    return draft.replace(found)


def fill(home: Path, **more: str) -> None:
    """Prepare an installation in ``home``, with the database that the environment names."""
    environ = {
        **os.environ,
        **profile.SETTINGS,
        "EXPUNGE_HOME": str(home),
        "EXPUNGE_KEYS": str(home / "keys"),
        "DJANGO_SETTINGS_MODULE": "config.settings",
        **more,
    }
    command = [sys.executable, "-m", "tests.faults.profile"]
    done = subprocess.run(
        command, cwd=ROOT, env=environ, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
