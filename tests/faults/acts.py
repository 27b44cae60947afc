"""What is done to an installation: each act begins a fault and returns what ends it."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import psycopg

from config.services import commands
from config.services.children import start, stop, wait_until
from tests.faults import messages, processes

if TYPE_CHECKING:
    import random
    import signal
    from collections.abc import Callable

    from config.services.children import Child
    from tests.faults.bent import Dials
    from tests.faults.disk import Disks
    from tests.faults.site import Site

PATIENCE = 20.0  # seconds
_DIED = "SELECT id FROM lineage_job WHERE error_code = 'CHILD_DIED' ORDER BY id"


@dataclass
class Scene:
    """What faults act on: the site, and what belongs to it where this machine allows it."""

    site: Site
    dials: Dials | None = None
    disks: Disks | None = None
    troubles: list[str] = field(default_factory=list)  # of which the round is accused
    noted: dict[str, Any] = field(default_factory=dict)  # of the injection, kept in its line


class Missed(Exception):
    """There was nothing to hit for so long that this injection does not count."""


def nothing() -> None:
    """End what ended by itself."""


def none(scene: Scene, draw: random.Random) -> Callable[[], None]:
    """Do nothing."""
    return nothing


def kill(name: str) -> Callable[[Scene, random.Random], Callable[[], None]]:
    """End one program at once."""

    def begin(scene: Scene, draw: random.Random) -> Callable[[], None]:
        _end(scene, name, lambda found: found[:1])
        return nothing

    return begin


def kill_web(scene: Scene, draw: random.Random) -> Callable[[], None]:
    """The master or the process that answers, as the kernel would choose."""
    _end(scene, "web", lambda found: [draw.choice(found)])
    return nothing


def kill_child(scene: Scene, draw: random.Random) -> Callable[[], None]:
    """End the process that does a job, once there is one."""
    _end(scene, "child", lambda found: found, seconds=4 * PATIENCE)
    return nothing


def kill_children(scene: Scene, draw: random.Random) -> Callable[[], None]:
    """End every process that does a job, until a case has to be retried by staff."""
    before = scene.site.rows(_DIED)

    def given_up() -> bool:
        processes.end(processes.named(scene.site.home, "child"))
        return scene.site.rows(_DIED) != before

    soon(given_up, what="a job was given up", pause=0.3, seconds=4 * PATIENCE)
    return nothing


def kill_serve(scene: Scene, draw: random.Random) -> Callable[[], None]:
    """End the supervisor; all programs go with it."""
    _end(scene, "serve", lambda found: found)
    scene.site.close()
    return scene.site.open


def _end(
    scene: Scene,
    name: str,
    which: Callable[[list[int]], list[int]],
    *,
    seconds: float = PATIENCE,
) -> None:
    """Kill processes of one kind, once there are any: the one before may just have been killed."""

    def killed() -> bool:
        found = processes.named(scene.site.home, name)
        return bool(found and processes.end(which(found)))

    soon(killed, what=f"{name} runs", seconds=seconds)


def soon(
    done: Callable[[], object], *, what: str, pause: float = 0.02, seconds: float = PATIENCE
) -> None:
    """Try until something was done; raise ``Missed`` after a while."""
    if not wait_until(lambda: bool(done()), seconds=seconds, pause=pause):
        raise Missed(f"not once in {seconds:g} s: {what}")


def flush(scene: Scene, draw: random.Random) -> Callable[[], None]:
    """Let the broker forget everything."""
    messages.client(scene.site).flushall()
    return nothing


def stop_broker(scene: Scene, draw: random.Random) -> Callable[[], None]:
    """End the broker; the private one is started again by its supervisor."""
    if scene.site.broker is None:
        processes.end(processes.named(scene.site.home, "broker"))
        return nothing
    scene.site.broker.stop()
    return scene.site.broker.start


def stop_database(signum: signal.Signals) -> Callable[[Scene, random.Random], Callable[[], None]]:
    """Stop PostgreSQL with a signal."""

    def begin(scene: Scene, draw: random.Random) -> Callable[[], None]:
        assert scene.site.database
        scene.site.database.stop(signum=signum)
        return scene.site.database.start

    return begin


def cut(scene: Scene, draw: random.Random) -> Callable[[], None]:
    """Cut every connection that is inside a transaction, once there is one."""
    assert scene.site.database
    sql = (
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE xact_start IS NOT NULL AND pid <> pg_backend_pid() "
        "AND backend_type = 'client backend'"
    )
    with psycopg.connect(scene.site.database.url, autocommit=True) as connection:
        soon(lambda: connection.execute(sql).fetchall(), what="a transaction", pause=0.002)
    return nothing


def lock(scene: Scene, draw: random.Random) -> Callable[[], None]:
    """Hold the lock for writing."""
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


def fill(scene: Scene, draw: random.Random) -> Callable[[], None]:
    """Fill the disks."""
    assert scene.disks
    scene.disks.fill()
    return scene.disks.empty


def refuse(scene: Scene, draw: random.Random) -> Callable[[], None]:
    """Let the store refuse, at an instant when nobody has a file open in it."""
    assert scene.disks
    soon(scene.disks.refuse, what="nobody writes to the store", pause=0.01)
    return scene.disks.accept


def drag(scene: Scene, draw: random.Random) -> Callable[[], None]:
    """Slow each sync down, and the store: four milliseconds for each open, read and write."""
    assert scene.dials
    scene.dials.drag(0.5, store=0.004)
    dials = scene.dials
    return lambda: dials.drag(0.0)


def jump(seconds: float) -> Callable[[Scene, random.Random], Callable[[], None]]:
    """Let the clock jump."""

    def begin(scene: Scene, draw: random.Random) -> Callable[[], None]:
        assert scene.dials
        scene.dials.turn(seconds)
        return nothing

    return begin


def twice(scene: Scene, draw: random.Random) -> Callable[[], None]:
    """Ring everything again."""
    messages.ring_again(scene.site)
    return nothing


def steal(*, back: bool) -> Callable[[Scene, random.Random], Callable[[], None]]:
    """Take messages out of the queues; with ``back``, put them there late."""

    def begin(scene: Scene, draw: random.Random) -> Callable[[], None]:
        thieves = messages.Thieves(scene.site)
        thieves.start()

        def over() -> None:
            thieves.stop()
            if back:
                thieves.give_back()

        return over

    return begin


def beside(*names: str) -> Callable[[Scene, random.Random], Callable[[], None]]:
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
