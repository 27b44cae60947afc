"""Four cases are always in flight; faults are injected one after another, each after recovery.

A round is one installation: it is opened, goes through its faults, and is looked at when the last
of its cases has ended. The instant of a fault is drawn within a phase, and the phases in turn.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.faults import bent, disk, lanes, looking, profile
from tests.faults.kinds import Kind, Scene
from tests.functional.installation import ROOT

if TYPE_CHECKING:
    import random
    from collections.abc import Callable
    from pathlib import Path

    from tests.faults.site import Site
    from tests.faults.template import Ground

RECOVERY = 420  # seconds; whoever wrote a letter and died leaves it for five minutes
STEADY = 240  # seconds until so many cases are under way
_UNSEEN = 3.0  # seconds that a phase lasts as long as nobody has seen one


@dataclass
class Round:
    """What is injected into one installation, and what came of it."""

    engine: str
    faults: list[Kind]
    say: Callable[[str], None]
    keep: Callable[[dict[str, Any]], None]
    name: str
    draw: random.Random
    lasted: dict[str, list[float]] = field(default_factory=dict)
    phases: Counter[tuple[str, str]] = field(default_factory=Counter)

    def run(self, ground: Ground, folder: Path) -> bool:
        """Run the round; return whether all is as it must be."""
        with ExitStack() as stack:
            scene = _scene(ground, folder, stack)
            stack.callback(scene.site.close)
            scene.site.open()
            return self._through(scene)

    def _through(self, scene: Scene) -> bool:
        stop, last = threading.Event(), threading.Event()
        crew = [lanes.Lane(scene.site, lane, stop, last) for lane in range(profile.LANES)]
        threads = [threading.Thread(target=lane.run, daemon=True) for lane in crew]
        for thread in threads:
            thread.start()
        ended = ""
        try:
            for kind in self.faults:
                if kind.possible(scene):
                    self._inject(kind, scene, crew)
                else:
                    self.say(f"{kind.name}: not possible here")
                if not scene.site.serving():
                    ended = f"the site ended after {kind.name}: {scene.site.last_words()}"
                    break
            last.set()
            patience = 0.0 if ended else 2 * RECOVERY
            self._until(lambda: not any(map(threading.Thread.is_alive, threads)), patience)
        finally:
            stop.set()
            for thread in threads:
                thread.join(30)
        return self._look(scene, crew, [ended] if ended else [])

    def _inject(self, kind: Kind, scene: Scene, crew: list[lanes.Lane]) -> None:
        phase = self._wait_for_phase(kind, scene, crew)
        before = _flying(scene.site, crew)
        at = time.monotonic()
        over = kind.begin(scene, self.draw)
        if kind.lasts:
            time.sleep(kind.lasts)
        over()
        ended = time.monotonic()
        self._until(lambda: _recovered(scene.site, before) or not scene.site.serving(), RECOVERY)
        moved = scene.site.serving() and _recovered(scene.site, before)
        for case in before.values():
            self.phases[kind.name, case.phase] += 1
        seconds = time.monotonic() - ended
        self.keep(
            {
                "line": "injection",
                "round": self.name,
                "engine": self.engine,
                "kind": kind.name,
                "aimed": phase,
                "flying": {case.reference: case.phase for case in before.values()},
                "lasted": round(ended - at, 3),
                "recovered": round(seconds, 3) if moved else None,
            }
        )
        self.say(f"{kind.name} at {sorted(c.phase for c in before.values())}: {seconds:.1f} s")

    def _wait_for_phase(self, kind: Kind, scene: Scene, crew: list[lanes.Lane]) -> str:
        """Wait for an instant of the phase that this kind has hit least, and return the phase."""
        least = min(self.phases[kind.name, one] for one in looking.PHASES)
        wanted = self.draw.choice(
            [one for one in looking.PHASES if self.phases[kind.name, one] == least]
        )
        since: dict[str, tuple[str, float]] = {}

        def there() -> bool:
            now = time.monotonic()
            flying = _flying(scene.site, crew)
            for key, case in flying.items():
                phase, began = since.get(key, ("", now))
                if phase != case.phase:
                    self.lasted.setdefault(phase, []).append(now - began)
                    since[key] = case.phase, now
            enough = len(flying) >= min(profile.LANES, sum(lane.busy for lane in crew))
            return enough and any(case.phase == wanted for case in flying.values())

        self._until(lambda: there() or not scene.site.serving(), STEADY)
        seen = sorted(self.lasted.get(wanted, [])) or [_UNSEEN]
        time.sleep(self.draw.uniform(0, min(seen[len(seen) // 2], 2 * _UNSEEN)))
        return wanted

    def _until(self, done: Callable[[], bool], seconds: float) -> bool:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if done():
                return True
            time.sleep(0.1)
        return False

    def _look(self, scene: Scene, crew: list[lanes.Lane], troubles: list[str]) -> bool:
        if scene.site.serving() and not scene.site.whole():
            self._until(scene.site.whole, 60)
        found = damage_of(scene.site)
        troubles += [lane.trouble for lane in crew if lane.trouble]
        done = [told for lane in crew for told in lane.done]
        self.keep(
            {
                "line": "round",
                "round": self.name,
                "engine": self.engine,
                "kinds": sorted({kind.name for kind in self.faults}),
                "cases": len(done),
                "asked_again": sum(told.asked - 1 for told in done),
                "retried": [code for lane in crew for code in lane.retried],
                "seconds": [round(told.ended - told.began, 1) for told in done],
                "troubles": troubles,
                "damage": found,
            }
        )
        bad = {kind: lines for kind, lines in found.items() if lines and kind not in HARMLESS}
        for line in [*troubles, *(f"{kind}: {line}" for kind in bad for line in bad[kind][:5])]:
            self.say(line[:400])
        return not bad and not troubles


# Copies of a letter carry the same number; a file without a row is swept when it is a day old.
HARMLESS = frozenset({"copies", "leavings"})


def _scene(ground: Ground, folder: Path, stack: ExitStack) -> Scene:
    home = folder / "home"
    dials = bent.dials(folder)
    disks = stack.enter_context(disk.disks(home)) if disk.mountable(folder) else None
    site = ground.site(home)
    if dials:
        site.environ |= dials.environ
    return Scene(site=site, dials=dials, disks=disks)


def _flying(site: Site, crew: list[lanes.Lane]) -> dict[str, looking.Case]:
    """Return the cases that somebody waits for."""
    known = looking.cases(site)
    mine = [lane.now.case for lane in crew if lane.now and lane.now.case]
    return {key: known[key] for key in mine if key in known and known[key].phase != "end"}


def _recovered(site: Site, before: dict[str, looking.Case]) -> bool:
    """Whether every program runs, and each case has moved on or ended since."""
    now = looking.cases(site)
    moved = all(
        now[key].phase == "end" or now[key].mark != case.mark for key, case in before.items()
    )
    return moved and site.whole()


def damage_of(site: Site) -> dict[str, list[str]]:
    done = subprocess.run(
        [sys.executable, "-m", "tests.faults.inspect"],
        cwd=ROOT,
        env={**site.environ, "DJANGO_SETTINGS_MODULE": "config.settings"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        return {"unlooked": [done.stderr[-2000:]]}
    found: dict[str, list[str]] = json.loads(done.stdout.splitlines()[-1])
    return found
