"""Every kind of fault: how it begins, how long it lasts, and how it is over."""

from __future__ import annotations

import contextlib
import signal
import sqlite3
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psycopg

from config.services import commands
from config.services.children import start, stop
from tests.faults import messages, processes

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

    from config.services.children import Child
    from tests.faults.bent import Dials
    from tests.faults.disk import Disks
    from tests.faults.site import Site

HOUR = 3600.0


@dataclass
class Scene:
    """What faults act on: the site, and what belongs to it where this machine allows it."""

    site: Site
    dials: Dials | None = None
    disks: Disks | None = None


Over = "Callable[[], None]"


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A kind of fault. ``begin`` returns what ends it, ``lasts`` is in seconds."""

    name: str
    words: str
    begin: Callable[[Scene, random.Random], Callable[[], None]]
    lasts: float = 0.0
    times: int = 2  # on each engine, in the long form
    quick: bool = False
    engine: str = ""  # the only one that it is for
    needs: str = ""  # of the scene

    def possible(self, scene: Scene) -> bool:
        """Whether it can be done here."""
        fits = self.engine in ("", scene.site.engine)
        return fits and (not self.needs or getattr(scene, self.needs) is not None)


def nothing() -> None:
    """End what ended by itself."""


def _none(scene: Scene, draw: random.Random) -> Callable[[], None]:
    return nothing


def _kill(name: str) -> Callable[[Scene, random.Random], Callable[[], None]]:
    def begin(scene: Scene, draw: random.Random) -> Callable[[], None]:
        processes.end(processes.named(scene.site.home, name)[:1])
        return nothing

    return begin


def _kill_web(scene: Scene, draw: random.Random) -> Callable[[], None]:
    """The master or the process that answers, as the kernel would choose."""
    processes.end([draw.choice(processes.named(scene.site.home, "web"))])
    return nothing


def _kill_child(scene: Scene, draw: random.Random) -> Callable[[], None]:
    end = time.monotonic() + 20
    while not processes.end(processes.named(scene.site.home, "child")):
        if time.monotonic() > end:
            break
        time.sleep(0.02)
    return nothing


def _kill_serve(scene: Scene, draw: random.Random) -> Callable[[], None]:
    processes.end(processes.named(scene.site.home, "serve"))
    scene.site.close()
    return scene.site.open


def _flush(scene: Scene, draw: random.Random) -> Callable[[], None]:
    messages.client(scene.site).flushall()
    return nothing


def _stop_broker(scene: Scene, draw: random.Random) -> Callable[[], None]:
    if scene.site.broker is None:
        processes.end(processes.named(scene.site.home, "broker"))
        return nothing
    scene.site.broker.stop()
    return scene.site.broker.start


def _stop_database(signum: signal.Signals) -> Callable[[Scene, random.Random], Callable[[], None]]:
    def begin(scene: Scene, draw: random.Random) -> Callable[[], None]:
        assert scene.site.database
        scene.site.database.stop(signum=signum)
        return scene.site.database.start

    return begin


def _cut(scene: Scene, draw: random.Random) -> Callable[[], None]:
    """Cut every connection that is inside a transaction, once there is one."""
    assert scene.site.database
    sql = (
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE xact_start IS NOT NULL AND pid <> pg_backend_pid() "
        "AND backend_type = 'client backend'"
    )
    end = time.monotonic() + 20
    with psycopg.connect(scene.site.database.url, autocommit=True) as connection:
        while not connection.execute(sql).fetchall() and time.monotonic() < end:
            time.sleep(0.002)
    return nothing


def _lock(scene: Scene, draw: random.Random) -> Callable[[], None]:
    held = sqlite3.connect(
        scene.site.home / "expunge.sqlite3",
        timeout=20,
        isolation_level=None,
        check_same_thread=False,
    )
    held.execute("BEGIN IMMEDIATE")

    def over() -> None:
        held.rollback()
        held.close()

    return over


def _fill(scene: Scene, draw: random.Random) -> Callable[[], None]:
    assert scene.disks
    scene.disks.fill()
    return scene.disks.empty


def _refuse(scene: Scene, draw: random.Random) -> Callable[[], None]:
    assert scene.disks
    end = time.monotonic() + 20
    while not scene.disks.refuse() and time.monotonic() < end:
        time.sleep(0.01)
    return scene.disks.accept


def _drag(scene: Scene, draw: random.Random) -> Callable[[], None]:
    assert scene.dials
    scene.dials.drag(0.5)
    dials = scene.dials
    return lambda: dials.drag(0.0)


def _jump(seconds: float) -> Callable[[Scene, random.Random], Callable[[], None]]:
    def begin(scene: Scene, draw: random.Random) -> Callable[[], None]:
        assert scene.dials
        scene.dials.turn(seconds)
        return nothing

    return begin


def _twice(scene: Scene, draw: random.Random) -> Callable[[], None]:
    messages.ring_again(scene.site)
    return nothing


def _steal(*, back: bool) -> Callable[[Scene, random.Random], Callable[[], None]]:
    def begin(scene: Scene, draw: random.Random) -> Callable[[], None]:
        thieves = messages.Thieves(scene.site)
        thieves.start()

        def over() -> None:
            thieves.stop()
            if back:
                thieves.give_back()

        return over

    return begin


def _beside(*names: str) -> Callable[[Scene, random.Random], Callable[[], None]]:
    """Run a second one of each beside the first; their end is polite."""

    def begin(scene: Scene, draw: random.Random) -> Callable[[], None]:
        site = scene.site
        environ = {**site.environ, "REDIS_URL": messages.url_of(site)}
        made = {
            "light": commands.light_worker(environ),
            "heavy": commands.heavy_worker(environ),
            "scheduler": commands.beat(environ, schedule=site.home / "second-schedule"),
        }
        more: list[Child] = [start(made[name], log=site.home / "second.log") for name in names]
        messages.ring_again(site)

        def over() -> None:
            for child in more:
                stop(child, grace=60)

        return over

    return begin


def _deploy(scene: Scene, draw: random.Random) -> Callable[[], None]:
    """Web and scheduler are new at once; the old workers end what they do, then are new."""
    home = scene.site.home
    new = processes.named(home, "web")[:1] + processes.named(home, "scheduler")[:1]
    old = processes.named(home, "light")[:1] + processes.named(home, "heavy")[:1]
    processes.end(new, signal.SIGTERM)

    def over() -> None:
        processes.end(old, signal.SIGTERM)
        end = time.monotonic() + 60
        while any(map(processes.alive, old)) and time.monotonic() < end:
            time.sleep(0.05)
        with contextlib.suppress(ProcessLookupError):
            processes.end([pid for pid in old if processes.alive(pid)])

    return over


KINDS = (
    Kind(name="none", words="nothing, to compare with", begin=_none, times=5),
    Kind(
        name="worker-light",
        words="`kill -9` of the worker of quick jobs",
        begin=_kill("light"),
        times=25,
        quick=True,
    ),
    Kind(
        name="worker-heavy",
        words="`kill -9` of the worker of long jobs",
        begin=_kill("heavy"),
        times=25,
        quick=True,
    ),
    Kind(
        name="child",
        words="`kill -9` of the process that does a job",
        begin=_kill_child,
        times=10,
        quick=True,
    ),
    Kind(name="web", words="`kill -9` of the web server", begin=_kill_web, times=50, quick=True),
    Kind(
        name="scheduler",
        words="`kill -9` of the scheduler",
        begin=_kill("scheduler"),
        times=50,
        quick=True,
    ),
    Kind(name="serve", words="`kill -9` of the supervisor, and with it of all", begin=_kill_serve),
    Kind(name="flush", words="the broker forgets all messages", begin=_flush, quick=True),
    Kind(name="broker", words="the broker is stopped and started", begin=_stop_broker, lasts=3),
    Kind(
        name="database-restart",
        words="PostgreSQL is restarted",
        lasts=3,
        engine="postgresql",
        begin=_stop_database(signal.SIGINT),
    ),
    Kind(
        name="database-crash",
        words="PostgreSQL crashes and recovers",
        lasts=1,
        engine="postgresql",
        begin=_stop_database(signal.SIGQUIT),
    ),
    Kind(
        name="cut",
        words="connections are cut inside a transaction",
        begin=_cut,
        times=5,
        engine="postgresql",
    ),
    Kind(
        name="locked",
        words="SQLite is locked by somebody for 8 s",
        begin=_lock,
        lasts=8,
        engine="sqlite",
    ),
    Kind(name="disk-full", words="the disk is full for 6 s", begin=_fill, lasts=6, needs="disks"),
    Kind(
        name="store-refuses",
        words="the store refuses writes and deletions for 6 s",
        begin=_refuse,
        lasts=6,
        needs="disks",
    ),
    Kind(
        name="disk-slow",
        words="each sync of the disk takes 0.5 s longer, for 10 s",
        begin=_drag,
        lasts=10,
        needs="dials",
    ),
    Kind(
        name="clock-forward",
        words="the clock jumps an hour forward",
        begin=_jump(HOUR),
        needs="dials",
    ),
    Kind(
        name="clock-back", words="the clock jumps an hour back", begin=_jump(-HOUR), needs="dials"
    ),
    Kind(name="twice", words="every message rings two times more", begin=_twice, quick=True),
    Kind(name="late", words="messages come 6 s late", begin=_steal(back=True), lasts=6),
    Kind(name="lost", words="messages are lost for 6 s", begin=_steal(back=False), lasts=6),
    Kind(
        name="two-schedulers",
        words="two schedulers for 10 s",
        begin=_beside("scheduler"),
        lasts=10,
    ),
    Kind(
        name="two-workers",
        words="two workers of each kind for 15 s",
        begin=_beside("light", "heavy"),
        lasts=15,
    ),
    Kind(
        name="deploy",
        words="a deployment: new web, old workers until they are done",
        begin=_deploy,
        lasts=3,
    ),
)
NAMED = {kind.name: kind for kind in KINDS}
