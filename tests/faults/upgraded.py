"""An installation whose programs come from two releases, beside one another."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from config.services.children import Child, Command, start, stop, wait_until
from tests.faults import processes
from tests.faults.releases import THIS, Release
from tests.faults.site import OPENING, PROGRAMS, Site

DRAIN = 180.0  # seconds; a worker that is asked to end first ends the job that it has
_ENDED = re.compile(r"Task lineage\.run_job\[\S+\] succeeded")
# Asked of each tree, as the command lines of its programs are its own.
_COMMANDS = """
import json, os, sys
from pathlib import Path
from config.services import commands
environ = dict(os.environ)
made = {
    "light": commands.light_worker(environ),
    "heavy": commands.heavy_worker(environ),
    "scheduler": commands.beat(environ, schedule=Path(sys.argv[1]) / "celerybeat-schedule"),
    "web": commands.web(environ, host="127.0.0.1", port=int(sys.argv[2])),
}
print(json.dumps({name: [one.argv, dict(one.env), str(one.cwd)] for name, one in made.items()}))
"""


@dataclass
class Upgraded(Site):
    """A site that begins with the programs of one release and goes on with those of another."""

    old: Release = THIS
    new: Release = THIS
    running: dict[str, Child] = field(default_factory=dict)

    def open(self) -> None:
        """Start every program of the old release."""
        self.settle()
        for name in PROGRAMS:
            self.begin(name, self.old)
        assert wait_until(self.answers, seconds=OPENING, pause=0.2), self.last_words()

    def close(self) -> None:
        """Stop every program."""
        for child in self.running.values():
            stop(child, grace=15)

    def begin(self, name: str, release: Release) -> None:
        """Start a program of a release."""
        command = self._commands(release)[name]
        self.running[name] = start(command, log=self.home / f"{name}.log")

    def end(self, name: str) -> bool:
        """Ask a program to end; return whether it did so by itself, well, and in time."""
        child = self.running[name]
        stop(child, grace=DRAIN)
        return child.process.returncode == 0

    def set_up(self, release: Release) -> None:
        """Do what a release asks for before its programs start."""
        subprocess.run(
            [sys.executable, "manage.py", "setup"],
            cwd=release.tree,
            env=self.environ,
            capture_output=True,
            check=True,
        )

    def serving(self) -> bool:
        """Whether every program that was started runs."""
        return all(child.alive for child in self.running.values())

    def whole(self) -> bool:
        """As of every site; and each worker is so far that it can be asked to end politely."""
        return super().whole() and all(map(self._ready, ("light", "heavy")))

    def _ready(self, name: str) -> bool:
        child = self.running[name]
        return b" ready." in child.log.read_bytes()[child.log_start :]

    def last_words(self) -> str:
        """Return what programs that ended said at last."""
        ended = {name: one for name, one in self.running.items() if not one.alive}
        return " ".join(f"{name} {one.ending}: {one.last_lines(6)}" for name, one in ended.items())

    def strangers(self, release: Release, *names: str) -> list[str]:
        """Return a sentence for each program that is not of the release, or is not there."""
        said = []
        for name in names:
            trees = {processes.folder(pid) for pid in processes.named(self.home, name)}
            if trees != {release.tree}:
                said.append(f"{name} runs in {sorted(map(str, trees))}, not in {release.tree}")
        return said

    def jobs_of(self, release: Release) -> set[int]:
        """Return the processes of jobs that workers of a release have begun.

        A worker names the file of its own code, so this is the code that it has loaded.
        """
        manage = str(release.tree / "manage.py")
        return {
            pid
            for pid, words in processes.of(self.home)
            if manage in words and processes.WORDS["child"](words)
        }

    def tasks_ended(self) -> int:
        """Return how many tasks of jobs the workers have ended, as they say themselves.

        Such a task also ends well when its job was not there for it, or was given back.
        """
        logs = [self.home / f"{name}.log" for name in ("light", "heavy")]
        return sum(len(_ENDED.findall(log.read_text(errors="replace"))) for log in logs)

    def migrations(self) -> set[tuple[Any, ...]]:
        """Return what was migrated."""
        return set(self.rows("SELECT app, name FROM django_migrations"))

    def _commands(self, release: Release) -> dict[str, Command]:
        done = subprocess.run(
            [sys.executable, "-c", _COMMANDS, str(self.home), str(self.port)],
            cwd=release.tree,
            env=self.environ,
            capture_output=True,
            text=True,
            check=True,
        )
        return {
            name: Command(argv=tuple(argv), env=env, cwd=Path(cwd))
            for name, (argv, env, cwd) in json.loads(done.stdout).items()
        }
