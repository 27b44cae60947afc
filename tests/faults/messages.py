"""What can become of a message: it rings twice, too late, or never. On the broker itself."""

from __future__ import annotations

import contextlib
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import redis
from celery import Celery

from config.services import valkey
from tests.faults import looking, processes

if TYPE_CHECKING:
    from tests.faults.site import Site

QUEUES = ("intake", "lineage", "heavy", "report")
_PREFIX = "expunge:"
_THIEVES = 6  # each waits at every queue, before the workers come back to it


def url_of(site: Site) -> str:
    """Return the URL of the broker that the site's workers use."""
    from pathlib import Path

    for pid in processes.named(site.home, "light") + processes.named(site.home, "heavy"):
        with contextlib.suppress(OSError):
            for word in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0"):
                if word.startswith(b"REDIS_URL="):
                    return word.removeprefix(b"REDIS_URL=").decode()
    return site.environ.get("REDIS_URL", "")


def client(site: Site) -> redis.Redis:
    """Return a client of the site's broker."""
    return redis.Redis.from_url(valkey.client_url(url_of(site)))


def ring_again(site: Site, *, times: int = 2) -> int:
    """Ring every open case and every job so many times more; return how many messages."""
    app = Celery(broker=url_of(site))
    app.conf.broker_transport_options = {"global_keyprefix": _PREFIX}
    open_cases = [one for one in looking.cases(site).values() if one.phase != "end"]
    jobs = site.rows("SELECT id, queue, status FROM lineage_job ORDER BY created_at DESC LIMIT 40")
    sent: list[tuple[str, str, str]] = [("audits.advance", one.id, "intake") for one in open_cases]
    for number, queue, status in jobs:
        ended = status not in ("QUEUED", "RUNNING")
        sent.append(("lineage.run_job", str(number), queue))
        sent += [("audits.job_ended", str(number), "intake")] if ended else []
    for task, argument, queue in sent * times:
        app.send_task(task, args=[argument], queue=queue, retry=False)
    app.close()
    return len(sent) * times


@dataclass
class Thieves:
    """Clients that take messages out of the queues before the workers do."""

    site: Site
    stolen: list[tuple[Any, Any]] = field(default_factory=list)
    _over: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)

    def start(self) -> None:
        """Take whatever comes from now on."""
        for _ in range(_THIEVES):
            thread = threading.Thread(target=self._take, args=(client(self.site),), daemon=True)
            thread.start()
            self._threads.append(thread)

    def stop(self) -> None:
        """Leave the queues alone."""
        self._over.set()
        for thread in self._threads:
            thread.join()

    def give_back(self) -> None:
        """Put what was taken into its queue, late."""
        broker = client(self.site)
        for queue, message in self.stolen:
            broker.lpush(queue, message)

    def _take(self, broker: redis.Redis) -> None:
        with contextlib.suppress(redis.RedisError):
            while not self._over.is_set():
                found: Any = broker.brpop([_PREFIX + name for name in QUEUES], timeout=1)
                if found:
                    self.stolen.append(found)
