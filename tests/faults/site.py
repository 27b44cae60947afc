"""An installation that runs: the product's own ``manage.py serve`` in a home of its own."""

from __future__ import annotations

import contextlib
import sqlite3
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.request import urlopen

import psycopg

from config.services.children import Command, start, wait_until
from config.services.ports import free_port
from tests.faults import processes, profile
from tests.functional.installation import ROOT, Installation

if TYPE_CHECKING:
    from tests.faults.servers import Server

AWAY = (sqlite3.Error, psycopg.Error)
OPENING = 240  # seconds
PROGRAMS = ("light", "heavy", "scheduler", "web")


@dataclass
class Site(Installation):
    """An installation with the servers that it uses, if they are not its own."""

    database: Server | None = None
    broker: Server | None = None
    port: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        self.environ |= profile.SETTINGS
        if self.broker:
            self.environ["REDIS_URL"] = self.broker.url

    @property
    def engine(self) -> str:
        """The name of the database engine."""
        return "postgresql" if self.database else "sqlite"

    def open(self) -> None:
        """Start the site, at the same port each time."""
        self.settle()
        argv = (sys.executable, "-u", "manage.py", "serve", "--port", str(self.port))
        log = self.home / "serve.log"
        self._server = start(Command(argv=argv, env=self.environ, cwd=ROOT), log=log)
        assert wait_until(self.answers, seconds=OPENING, pause=0.2), self._server.last_lines(30)

    def settle(self) -> None:
        """Choose the port, once."""
        self.port = self.port or free_port(host="127.0.0.1")
        self.site = f"http://127.0.0.1:{self.port}"
        self.environ["EXPUNGE_SITE_URL"] = self.site

    def answers(self) -> bool:
        """Whether the site says that it is well."""
        with contextlib.suppress(OSError), urlopen(f"{self.site}/readyz", timeout=2) as page:
            return bool(page.status == 200)
        return False

    def serving(self) -> bool:
        """Whether the supervisor runs."""
        return self._server is not None and self._server.alive

    def last_words(self) -> str:
        """Return what the supervisor said at last."""
        return self._server.last_lines(6) if self._server else ""

    def whole(self) -> bool:
        """Whether every program runs and the site answers."""
        each = [words for _, words in processes.of(self.home)]
        running = all(any(map(processes.WORDS[name], each)) for name in PROGRAMS)
        return running and self.answers()

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """As ``query``, but patient with a database that is away for a while."""
        end = time.monotonic() + 60
        while True:
            try:
                return self.query(sql)
            except AWAY:
                if time.monotonic() > end:
                    raise
                time.sleep(0.1)

    def texts(self, email: str) -> list[str]:
        """Return the e-mails that somebody got, oldest first."""
        files = sorted((self.home / "mail").glob("*.log"), key=lambda path: path.stat().st_mtime)
        whole = [path.read_text().replace("=\n", "") for path in files]
        return [mail for text in whole for mail in text.split("-" * 79) if f"To: {email}" in mail]
