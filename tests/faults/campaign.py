"""Four cases are always in flight; faults are injected one after another, seconds apart.

A round is one installation: it is opened, goes through its faults, and is looked at when the last
of its cases has ended. Each fault waits a little for the phase that its kind met least. The next
one begins when all programs run again, and after a mere kill at once.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.faults import bent, disk, lanes, looking, processes, profile, results
from tests.faults.acts import Missed, Scene
from tests.faults.watch import Injection, Watch
from tests.functional.installation import ROOT

if TYPE_CHECKING:
    import random
    from collections.abc import Callable
    from pathlib import Path

    from tests.faults.kinds import Kind
    from tests.faults.site import Site
    from tests.faults.template import Ground

STEADY = 240  # seconds until so many cases are under way
_WELL = 60.0  # seconds that the next fault waits until all programs run again
_DRAIN = 3600.0  # seconds; people give up by themselves when nothing happens
_GAP = (2.2, 3.0)  # seconds between faults
_AT_ONCE = 1.0  # second within which a case is as good as always where it was


@dataclass
class Round:
    """What is injected into one installation, and what came of it."""

    engine: str
    faults: list[Kind]
    say: Callable[[str], None]
    keep: Callable[[dict[str, Any]], None]
    name: str
    draw: random.Random
    until: float = float("inf")  # nothing is injected after it, by the monotonic clock
    phases: Counter[tuple[str, str]] = field(default_factory=Counter)  # that each kind has met

    def run(self, ground: Ground, folder: Path) -> None:
        """Run the round, and keep what came of it."""
        with ExitStack() as stack:
            scene = _scene(ground, folder, stack)
            stack.callback(_end, scene.site)
            scene.site.open()
            self._through(scene)

    def _through(self, scene: Scene) -> None:
        stop, last = threading.Event(), threading.Event()
        crew = [lanes.Lane(scene.site, lane, stop, last) for lane in range(profile.LANES)]
        threads = [threading.Thread(target=lane.run, daemon=True) for lane in crew]
        for thread in threads:
            thread.start()
        ended = ""
        with Watch(scene.site, self._keep) as watch:
            try:
                self._until(lambda: len(_flying(scene.site, crew)) == len(crew), STEADY)
                ended = self._inject_each(scene, crew, watch)
                last.set()
                asked = inspector(scene.site)
                patience = 0.0 if ended else _DRAIN
                self._until(lambda: not any(map(threading.Thread.is_alive, threads)), patience)
                self._until(lambda: not watch.pending, 0.0 if ended else _WELL)
            finally:
                stop.set()
                for thread in threads:
                    thread.join(30)
        self._look(scene, crew, [ended] if ended else [], asked)

    def _inject_each(self, scene: Scene, crew: list[lanes.Lane], watch: Watch) -> str:
        """Inject one after another; return what ended the site, if anything did."""
        for kind in self.faults:
            if time.monotonic() > self.until:
                return ""
            if not kind.possible(scene):
                self.say(f"{kind.name}: not possible here")
                continue
            try:
                watch.add(self._inject(kind, scene, crew))
            except Missed as error:
                self.say(f"{kind.name}: {error}")
            if not kind.rapid:
                self._until(lambda: scene.site.whole() or not scene.site.serving(), _WELL)
            if not scene.site.serving():
                return f"the site ended after {kind.name}: {scene.site.last_words()}"
        return ""

    def _inject(self, kind: Kind, scene: Scene, crew: list[lanes.Lane]) -> Injection:
        time.sleep(self.draw.uniform(*_GAP))
        phase = self._aim(kind, scene, crew)
        before = _flying(scene.site, crew)
        at = time.monotonic()
        over = kind.begin(scene, self.draw)
        if time.monotonic() - at > _AT_ONCE:  # it waited for what it strikes
            before, at = _flying(scene.site, crew), time.monotonic()
            met = sorted({case.phase for case in before.values()}) or ["none"]
            phase = phase if phase in met else self.draw.choice(met)
        if kind.lasts:
            time.sleep(kind.lasts)
        over()
        ended = time.monotonic()
        self.phases[kind.name, phase] += 1
        self.say(f"{kind.name} at {', '.join(sorted(case.phase for case in before.values()))}")
        known = looking.cases(scene.site)
        marks = {key: known[key].mark for key in before}
        noted, scene.noted = scene.noted, {}
        return Injection(kind.name, phase, before, marks, ended - at, ended, noted)

    def _aim(self, kind: Kind, scene: Scene, crew: list[lanes.Lane]) -> str:
        """Wait a little for the phase that this kind met least; return one that a case is in."""
        least = min(self.phases[kind.name, one] for one in looking.PHASES)
        wanted = {one for one in looking.PHASES if self.phases[kind.name, one] == least}

        def now() -> list[str]:
            return sorted({case.phase for case in _flying(scene.site, crew).values()})

        self._until(lambda: bool(wanted & set(now())) or not scene.site.serving(), kind.aims)
        found = now()
        return self.draw.choice([one for one in found if one in wanted] or found or ["none"])

    def _keep(self, line: dict[str, Any]) -> None:
        self.keep({**line, "round": self.name, "engine": self.engine})

    def _until(self, done: Callable[[], bool], seconds: float) -> bool:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if done():
                return True
            time.sleep(0.1)
        return False

    def _look(
        self,
        scene: Scene,
        crew: list[lanes.Lane],
        troubles: list[str],
        asked: subprocess.Popen[str],
    ) -> None:
        if scene.site.serving() and not scene.site.whole():
            self._until(scene.site.whole, 60)
        found = damage_of(scene.site, asked)
        troubles += scene.troubles + [lane.trouble for lane in crew if lane.trouble]
        done = [told for lane in crew for told in lane.done]
        self._keep(
            {
                "line": "round",
                "kinds": sorted({kind.name for kind in self.faults}),
                "cases": len(done),
                "asked_again": sum(told.asked - 1 for told in done),
                "retried": [code for lane in crew for code in lane.retried],
                "seconds": [round(told.ended - told.began, 1) for told in done],
                "troubles": troubles,
                "damage": found,
            }
        )
        bad = results.bad(found)
        for line in [*troubles, *(f"{kind}: {line}" for kind in bad for line in bad[kind][:5])]:
            self.say(line[:400])


def _scene(ground: Ground, folder: Path, stack: ExitStack) -> Scene:
    home = folder / "home"
    dials = bent.dials(folder)
    disks = stack.enter_context(disk.disks(home)) if disk.mountable(folder) else None
    site = ground.site(home)
    if dials:
        site.environ |= dials.environ
    return Scene(site=site, dials=dials, disks=disks)


def _end(site: Site) -> None:
    """End what is still there: all has been looked at, so nothing need come to its own end."""
    for pid, _ in processes.of(site.home):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    site.close()


def _flying(site: Site, crew: list[lanes.Lane]) -> dict[str, looking.Case]:
    """Return the cases that somebody waits for."""
    known = looking.cases(site)
    mine = [lane.now.case for lane in crew if lane.now and lane.now.case]
    return {key: known[key] for key in mine if key in known and known[key].phase != "end"}


def inspector(site: Site) -> subprocess.Popen[str]:
    """Start the process that will look at an installation; it has much to import."""
    return subprocess.Popen(
        [sys.executable, "-m", "tests.faults.inspect"],
        cwd=ROOT,
        env={**site.environ, "DJANGO_SETTINGS_MODULE": "config.settings"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def damage_of(site: Site, asked: subprocess.Popen[str] | None = None) -> dict[str, list[str]]:
    """Return what is wrong, told by the process that was started for it, or by another one."""
    with asked or inspector(site) as looking_at_it:
        printed, said = looking_at_it.communicate("now\n")
    if looking_at_it.returncode:
        return {"unlooked": [said[-2000:]]}
    found: dict[str, list[str]] = json.loads(printed.splitlines()[-1])
    return found
