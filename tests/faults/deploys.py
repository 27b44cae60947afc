"""A new release comes: of the same code as before, or of other code."""

from __future__ import annotations

import contextlib
import signal
import time
from typing import TYPE_CHECKING

from config.services.children import wait_until
from tests.faults import processes
from tests.faults.acts import PATIENCE, soon
from tests.faults.site import PROGRAMS
from tests.faults.upgraded import Upgraded

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

    from tests.faults.acts import Scene
    from tests.faults.releases import Release


def deploy(scene: Scene, draw: random.Random) -> Callable[[], None]:
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


def release(scene: Scene, draw: random.Random) -> Callable[[], None]:
    """As docs/operations.md says: tables, then web and scheduler, then the workers.

    Where the new release runs already it is taken back first: the old one works on its tables.
    """
    site = scene.site
    assert isinstance(site, Upgraded)
    old, new = site.old, site.new
    if site.strangers(old, "web"):
        _exchange(scene, "heavy", "light", "web", "scheduler", by=old)
        soon(site.whole, what="the old programs run again", seconds=4 * PATIENCE)
    scene.troubles += site.strangers(old, *PROGRAMS)
    before = site.migrations()
    site.set_up(new)
    _exchange(scene, "web", "scheduler", by=new)
    soon(site.answers, what="the new web answers", seconds=4 * PATIENCE)
    had, ended = site.jobs_of(old), site.tasks_ended()
    # Begun on the tables of the new release, at the request of its web and scheduler.
    soon(lambda: site.jobs_of(old) - had, what="an old worker works", seconds=4 * PATIENCE)
    scene.troubles += site.strangers(new, "web", "scheduler")
    scene.troubles += site.strangers(old, "light", "heavy")
    scene.noted["before"] = old.name
    scene.noted["migrated"] = sorted(".".join(one) for one in site.migrations() - before)

    def over() -> None:
        _exchange(scene, "heavy", "light", by=new)
        scene.noted["tasks_of_old_workers"] = site.tasks_ended() - ended
        wait_until(site.whole, seconds=4 * PATIENCE, pause=0.2)
        scene.troubles += site.strangers(new, *PROGRAMS)

    return over


def _exchange(scene: Scene, *names: str, by: Release) -> None:
    """Let programs end what they do, and start those of a release in their place."""
    site = scene.site
    assert isinstance(site, Upgraded)
    for name in names:
        if not site.end(name):
            scene.troubles.append(f"{name} was asked to end and {site.running[name].ending}")
    for name in names:
        site.begin(name, by)
