"""What runs where: servers and pages on this machine, workers on three others.

PostgreSQL, Valkey and a server that speaks S3 are reached by the network. Each machine has a home
of its own. The folder of the keys and the journal are one, as on a volume of the network; but this
one stays there when the cable of a machine is pulled.
"""

from __future__ import annotations

import contextlib
import os
import sys
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from config.services import commands
from config.services.children import Child, Command, start, stop, wait_until
from config.services.ports import free_port
from tests.faults import processes, template
from tests.faults.servers import copied, postgres_server, valkey_server
from tests.faults.site import OPENING, Site
from tests.functional.installation import ROOT
from tests.lineage.buckets import KEYS, client

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tests.machines.net import Net

LEASE = 6  # seconds
S3_PORT = 5000
BUCKET = "expunge-machines"


@dataclass
class Machine:
    """A machine with a light and a heavy worker."""

    number: int
    net: Net
    home: Path
    environ: Mapping[str, str]
    workers: list[Child] = field(default_factory=list)

    def open(self) -> None:
        """Start its workers."""
        self.home.mkdir()
        for command in (commands.light_worker(self.environ), commands.heavy_worker(self.environ)):
            inside = replace(command, argv=(*self.net.inside(self.number), *command.argv))
            self.workers.append(start(inside, log=self.log))

    @property
    def log(self) -> Path:
        """What its workers and their children say."""
        return self.home / "workers.log"

    def whole(self) -> bool:
        """Whether both workers run."""
        return all(worker.alive for worker in self.workers)

    def pids(self) -> list[int]:
        """Return all its processes."""
        return [pid for pid, _ in processes.of(self.home)]

    def jobs(self) -> dict[str, int]:
        """Return the process of each job that it does, by the number of the job."""
        found = {}
        for pid, words in processes.of(self.home):
            if "run_job" in words:
                found[words[words.index("run_job") + 1]] = pid
        return found

    def close(self) -> None:
        """Stop its workers."""
        for worker in self.workers:
            stop(worker, grace=5)


@dataclass
class Cluster(Site):
    """The pages and the scheduler, and the machines beside them."""

    machines: list[Machine] = field(default_factory=list)
    _here: list[Child] = field(default_factory=list)

    def open(self) -> None:
        """Start everything and wait until the site is well."""
        self.port = free_port(host="127.0.0.1")
        self.site = f"http://127.0.0.1:{self.port}"
        self.environ["EXPUNGE_SITE_URL"] = self.site
        web = commands.web(self.environ, host="127.0.0.1", port=self.port)
        beat = commands.beat(self.environ, schedule=self.home / "schedule")
        self._here = [start(one, log=self.home / "serve.log") for one in (web, beat)]
        for machine in self.machines:
            machine.environ = {**self.environ, "EXPUNGE_HOME": str(machine.home)}
            machine.open()
        assert wait_until(self.answers, seconds=OPENING, pause=0.2), self.last_words()

    def serving(self) -> bool:
        """Whether pages and scheduler run."""
        return all(child.alive for child in self._here)

    def last_words(self) -> str:
        """Return what they said at last."""
        return self._here[0].last_lines(8) if self._here else ""

    def whole(self) -> bool:
        """Whether every program on every machine runs and the site answers."""
        return self.serving() and all(one.whole() for one in self.machines) and self.answers()

    def texts(self, email: str) -> list[str]:
        """Return the e-mails that somebody got, whichever machine sent them, oldest first."""
        homes = [self.home, *(machine.home for machine in self.machines)]
        files = [path for home in homes for path in (home / "mail").glob("*.log")]
        files.sort(key=lambda path: path.stat().st_mtime)
        whole = [path.read_text().replace("=\n", "") for path in files]
        return [mail for text in whole for mail in text.split("-" * 79) if f"To: {email}" in mail]

    def close(self) -> None:
        """Stop everything."""
        for machine in self.machines:
            machine.close()
        for child in self._here:
            stop(child, grace=5)


@contextlib.contextmanager
def cluster(net: Net, folder: Path) -> Iterator[Cluster]:
    """Yield an installation that is prepared and not yet open."""
    with (
        postgres_server(host=net.host) as database,
        valkey_server(host=net.host) as broker,
        _bucket(net.host, folder) as store,
    ):
        home = folder / "home"
        home.mkdir()
        copied(database, name="machines", source="template1")
        environ = {
            "DATABASE_URL": f"postgresql://postgres@{net.host}:5432/machines",
            "REDIS_URL": broker.url,
            "EXPUNGE_KEYS": str(home / "keys"),
            "EXPUNGE_JOURNAL": str(home / "journal" / "erasures.jsonl"),
            **store,
        }
        template.fill(home, environ)
        site = Cluster(home=home, environ=environ, database=database, broker=broker)
        site.environ |= {**environ, "EXPUNGE_LEASE_SECONDS": str(LEASE)}
        site.machines = [
            Machine(number, net, folder / f"machine{number}", site.environ)
            for number in range(len(net.names))
        ]
        try:
            yield site
        finally:
            site.close()


@contextlib.contextmanager
def _bucket(host: str, folder: Path) -> Iterator[dict[str, str]]:
    """Run a server that speaks S3; yield the settings of a store in a bucket of it."""
    url = f"http://{host}:{S3_PORT}"
    argv = (sys.executable, "-m", "moto.server", "-H", host, "-p", str(S3_PORT))
    server = start(Command(argv=argv, env=dict(os.environ), cwd=ROOT), log=folder / "s3.log")
    try:
        up = wait_until(lambda: _made(url), seconds=30, pause=0.2)
        assert up, server.last_lines(10)
        yield {**KEYS, "AWS_ENDPOINT_URL_S3": url, "EXPUNGE_STORE": f"s3://{BUCKET}/store"}
    finally:
        stop(server, grace=5)


def _made(url: str) -> bool:
    from botocore.exceptions import BotoCoreError

    try:
        client(url).create_bucket(Bucket=BUCKET)
    except BotoCoreError:
        return False
    return True
