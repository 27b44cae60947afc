"""The prepared installation, kept for as long as the code is the same."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from tests.faults import profile, releases
from tests.faults.servers import Server, copied, postgres_server, valkey_server
from tests.faults.site import Site
from tests.faults.upgraded import Upgraded
from tests.functional.installation import ROOT
from tests.migrated import digest_of_code

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from tests.faults.releases import Release

PREPARED = "prepared"
KEPT = ROOT / ".pytest_cache" / "faults"
MIGRATED = ROOT / ".pytest_cache" / "d" / "migrated"  # see tests/migrated.py


@dataclass(frozen=True, kw_only=True)
class Ground:
    """What rounds of one engine begin with: a home to copy, and the servers, if there are any."""

    home: Path
    database: Server | None = None
    broker: Server | None = None
    old: Release | None = None  # by which the home was made, and with which a site begins

    def site(self, home: Path) -> Site:
        """Return an installation of its own."""
        shutil.copytree(self.home, home, dirs_exist_ok=True)
        more: dict[str, str] = {}
        if self.database:
            more["DATABASE_URL"] = copied(self.database, name="faults", source=PREPARED)
        site = Site if self.old is None else partial(Upgraded, old=self.old)
        return site(home=home, environ=more, database=self.database, broker=self.broker)


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
        fill(home, {"DATABASE_URL": copied(database, name=PREPARED, source="template1")})
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
    fill(draft, {})
    for old in KEPT.iterdir():
        if not old.name.startswith(digest[:32]):
            shutil.rmtree(old)
    return draft.replace(found)


@contextlib.contextmanager
def ground_before(engine: str, named: str, say: Callable[[str], None]) -> Iterator[Ground]:
    """Yield what the release before prepares; the servers are the harness's on both engines.

    Raises:
        NoRelease: its code is not to be had here.
    """
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="expunge-release-")))
        old = releases.checked_out(releases.before(named), folder)
        more: dict[str, str] = {}
        database = None
        if engine == "postgresql":
            database = stack.enter_context(postgres_server())
            more["DATABASE_URL"] = copied(database, name=PREPARED, source="template1")
        broker = stack.enter_context(valkey_server())
        home = Path(stack.enter_context(TemporaryDirectory())) / "home"
        home.mkdir()
        say(f"preparing data and models with the release before, {old.name}")
        fill(home, more, tree=old.tree)
        yield Ground(home=home, database=database, broker=broker, old=old)


def fill(home: Path, more: Mapping[str, str], *, tree: Path = ROOT) -> None:
    """Prepare an installation in ``home``, with ``more`` in its environment.

    The product is that of ``tree``; what is prepared with it is always the same.
    """
    environ = {
        **os.environ,
        **profile.SETTINGS,
        "EXPUNGE_HOME": str(home),
        "EXPUNGE_KEYS": str(home / "keys"),
        "DJANGO_SETTINGS_MODULE": "config.settings",
        **more,
    }
    run = f"import runpy; runpy.run_path({profile.__file__!r}, run_name='__main__')"

    def part(name: str, **ends: Any) -> subprocess.Popen[str]:  # noqa: ANN401  (Popen's)
        argv = [sys.executable, "-c", run, name]
        return subprocess.Popen(
            argv, cwd=tree, env=environ, stderr=subprocess.PIPE, text=True, **ends
        )

    # Each on a core: the tables, and meanwhile all that data and models need to be imported.
    with part("set-up", stdout=subprocess.PIPE) as first:
        assert first.stdout
        with part("fill", stdin=first.stdout) as second:
            first.stdout.close()  # of it only the other part is to hear
            for one in (first, second):
                _, said = one.communicate()
                assert one.returncode == 0, said[-3000:]
