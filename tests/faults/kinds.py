"""Every kind of fault: how it begins, how long it lasts, and how often it is injected."""

from __future__ import annotations

import signal
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.faults import acts, deploys

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

    from tests.faults.acts import Scene

HOUR = 3600.0


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A kind of fault. ``begin`` returns what ends it, ``lasts`` is in seconds."""

    name: str
    words: str
    begin: Callable[[Scene, random.Random], Callable[[], None]]
    lasts: float = 0.0
    times: int = 3  # on each engine, in the long form
    rapid: bool = False  # the next one does not wait until all programs run again
    quick: bool = False
    engine: str = ""  # the only one that it is for
    needs: str = ""  # of the scene
    aims: float = 4.0  # seconds that it waits for a case in the phase that it met least
    apart: bool = False  # in an installation of its own that begins with the release before

    def possible(self, scene: Scene) -> bool:
        """Whether it can be done here."""
        fits = self.engine in ("", scene.site.engine)
        return fits and (not self.needs or getattr(scene, self.needs) is not None)


KINDS = (
    Kind(name="none", words="nothing, to compare with", begin=acts.none),
    Kind(
        name="worker-light",
        words="`kill -9` of the worker of quick jobs",
        begin=acts.kill("light"),
        times=25,
        rapid=True,
    ),
    Kind(
        name="worker-heavy",
        words="`kill -9` of the worker of long jobs",
        begin=acts.kill("heavy"),
        times=25,
        rapid=True,
        quick=True,
    ),
    Kind(
        name="child",
        words="`kill -9` of the process that does a job",
        begin=acts.kill_child,
    ),
    Kind(
        name="web",
        words="`kill -9` of the web server",
        begin=acts.kill_web,
        times=50,
        rapid=True,
        quick=True,
    ),
    Kind(
        name="scheduler",
        words="`kill -9` of the scheduler",
        begin=acts.kill("scheduler"),
        times=50,
        rapid=True,
        quick=True,
    ),
    Kind(
        name="children",
        words="`kill -9` of each process that does a job, until staff must press *Retry*",
        begin=acts.kill_children,
    ),
    Kind(
        name="serve",
        words="`kill -9` of the supervisor, and with it of all",
        begin=acts.kill_serve,
    ),
    Kind(name="flush", words="the broker forgets all messages", begin=acts.flush, quick=True),
    Kind(
        name="broker", words="the broker is stopped and started", begin=acts.stop_broker, lasts=3
    ),
    Kind(
        name="database-restart",
        times=5,
        words="PostgreSQL is restarted",
        lasts=3,
        engine="postgresql",
        begin=acts.stop_database(signal.SIGINT),
    ),
    Kind(
        name="database-crash",
        times=5,
        words="PostgreSQL crashes and recovers",
        lasts=1,
        engine="postgresql",
        begin=acts.stop_database(signal.SIGQUIT),
    ),
    Kind(
        name="cut",
        words="connections are cut inside a transaction",
        begin=acts.cut,
        times=5,
        engine="postgresql",
    ),
    Kind(
        name="locked",
        times=5,
        words="SQLite is locked by somebody for 8 s",
        begin=acts.lock,
        lasts=8,
        engine="sqlite",
    ),
    Kind(
        name="disk-full", words="the disk is full for 6 s", begin=acts.fill, lasts=6, needs="disks"
    ),
    Kind(
        name="store-refuses",
        words="the store refuses writes and deletions for 6 s",
        begin=acts.refuse,
        lasts=6,
        needs="disks",
    ),
    Kind(
        name="disk-slow",
        words="each sync of the disk takes 0.5 s longer, for 10 s",
        begin=acts.drag,
        lasts=10,
        needs="dials",
    ),
    Kind(
        name="clock-forward",
        words="the clock jumps an hour forward",
        begin=acts.jump(HOUR),
        needs="dials",
    ),
    Kind(
        name="clock-back",
        words="the clock jumps an hour back",
        begin=acts.jump(-HOUR),
        needs="dials",
    ),
    Kind(name="twice", words="every message rings two times more", begin=acts.twice),
    Kind(name="late", words="messages come 6 s late", begin=acts.steal(back=True), lasts=6),
    Kind(name="lost", words="messages are lost for 6 s", begin=acts.steal(back=False), lasts=6),
    Kind(
        name="two-schedulers",
        words="two schedulers for 6 s",
        begin=acts.beside("scheduler"),
        lasts=6,
    ),
    Kind(
        name="two-workers",
        words="two workers of each kind for 10 s",
        begin=acts.beside("light", "heavy"),
        lasts=10,
    ),
    Kind(
        name="deploy",
        words="a deployment: new web, old workers until they are done",
        begin=deploys.deploy,
        lasts=3,
    ),
    Kind(
        name="release",
        words="a new release: its tables, web and scheduler; workers of the release before "
        "until they are done",
        begin=deploys.release,
        lasts=6,
        aims=20,
        apart=True,
    ),
)
NAMED = {kind.name: kind for kind in KINDS}
