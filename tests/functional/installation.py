"""A whole installation in a folder of its own: real processes, driven from outside."""

from __future__ import annotations

import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import psycopg

from config.services.children import Child, Command, start, stop, wait_until
from config.services.ports import free_port

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")
ROOT = Path(__file__).parents[2]
SMALL_AUDIT = {"audit_data": "own_records", "looks": [6], "max_trainings": 12}


@dataclass
class Installation:
    """Its folder, its settings, and the site once it is served."""

    home: Path
    environ: dict[str, str] = field(default_factory=dict)
    site: str = ""
    login: tuple[str, str] = ("", "")
    reviewer: tuple[str, str] = ("", "")
    _server: Child | None = None

    def __post_init__(self) -> None:
        self.environ = {
            **os.environ,
            "EXPUNGE_HOME": str(self.home),
            "EXPUNGE_KEYS": str(self.home / "keys"),
            "EXPUNGE_LEASE_SECONDS": "3",
            "EXPUNGE_SWEEP_SECONDS": "1",
            "EXPUNGE_FORM_MIN_SECONDS": "0",
            "EXPUNGE_POLICY": json.dumps(SMALL_AUDIT),
            "EXPUNGE_METHOD": "finetune",
            "OMP_NUM_THREADS": "1",
            **self.environ,
        }

    def manage(self, *words: str) -> str:
        """Run a command and return what it prints; its failure is the test's."""
        done = subprocess.run(
            [sys.executable, "manage.py", *words],
            cwd=ROOT,
            env=self.environ,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
        return done.stdout

    def commands(self, *each: tuple[str, ...]) -> list[str]:
        """Run commands in one process, as to start one takes longer than what it does.

        Returns the words that they print.
        """
        calls = [f"call_command(*{words!r})" for words in each]
        code = "\n".join(["from django.core.management import call_command", *calls])
        return self.manage("shell", "-v", "0", "-c", code).split()

    def ask(self, code: str) -> Any:  # noqa: ANN401  (any JSON)
        """Run Python inside the installation and return the JSON that it prints last."""
        return json.loads(self.manage("shell", "-v", "0", "-c", code).splitlines()[-1])

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """Return the rows of a query; cheap enough to be asked again and again."""
        url = self.environ.get("DATABASE_URL")
        if url:
            with psycopg.connect(url) as connection:
                return connection.execute(sql).fetchall()
        with closing(sqlite3.connect(self.home / "expunge.sqlite3", timeout=20)) as connection:
            return connection.execute(sql).fetchall()

    def serve(self) -> None:
        """Start ``manage.py serve`` and wait until it has printed the URL and the login."""
        port = free_port(host="127.0.0.1")
        log = self.home / "serve.log"
        self.environ["EXPUNGE_SITE_URL"] = f"http://127.0.0.1:{port}"
        argv = (sys.executable, "-u", "manage.py", "serve", "--port", str(port))
        self._server = start(Command(argv=argv, env=self.environ, cwd=ROOT), log=log)
        printed = wait_until(lambda: "Ctrl-C" in log.read_text(), seconds=180)
        assert printed, log.read_text()
        self.site = f"http://127.0.0.1:{port}"
        shown = re.findall(r"shown once: (\S+) / (\S+)", log.read_text())
        if shown:
            self.login, self.reviewer = shown

    def close(self) -> None:
        """Stop the site and all that belongs to it."""
        if self._server is not None:
            stop(self._server, grace=15)

    def kill_the_heavy_worker(self) -> None:
        """End the heavy worker as a crash would: it gets no chance to clean up."""
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            try:
                words = (entry / "cmdline").read_bytes().split(b"\0")
                environ = (entry / "environ").read_bytes()
            except OSError:
                continue
            ours = f"EXPUNGE_HOME={self.home}".encode() in environ.split(b"\0")
            if ours and b"heavy" in words and b"celery" in words:
                os.kill(int(entry.name), signal.SIGKILL)

    def letter(self, email: str, pattern: str) -> str:
        """Return what matches in the newest letter to an address."""
        letters = sorted((self.home / "mail").glob("*.log"), key=lambda path: path.stat().st_mtime)
        for letter in reversed(letters):
            text = letter.read_text().replace("=\n", "")
            found = re.search(pattern, text)
            if f"To: {email}" in text and found:
                return found.group(0)
        raise AssertionError(f"no letter to {email} has {pattern}: {[p.name for p in letters]}")


def until(done: Callable[[], T | None], *, seconds: float, what: str) -> T:
    """Return the first true answer; fail, saying what was waited for."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := done():
            return found
        time.sleep(0.3)
    raise AssertionError(f"waited {seconds} s for {what}")
