"""The processes of one installation on one machine: broker, workers, scheduler, web."""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.error import URLError
from urllib.request import urlopen

from config.services import commands, valkey
from config.services.ports import require_free
from config.services.processes import Program, Supervisor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Stage:
    """Running processes, and where they are reached."""

    supervisor: Supervisor
    broker_url: str
    site: str


@contextmanager
def stage(
    *,
    var: Path,
    host: str,
    port: int,
    say: Callable[[str], None] = lambda _: None,
    extra: Mapping[str, str] | None = None,
) -> Iterator[Stage]:
    """Start everything, yield, and stop everything.

    Raises:
        PortNotUsable: the port is in use; nothing was started.
        NoValkeyServer, ProgramFailed: something did not start; the rest was stopped.
    """
    require_free(port, host=host)
    site = f"http://{host}:{port}"
    logs = var / "log"
    logs.mkdir(parents=True, exist_ok=True)
    (var / "broker" / "control").mkdir(parents=True, exist_ok=True)
    with _broker() as url, Supervisor(say=say) as supervisor:
        environ = {**os.environ, "EXPUNGE_SITE_URL": site, **(extra or {})}
        if url:
            environ["REDIS_URL"] = url
        for name, command in (
            ("worker", commands.light_worker(environ)),
            ("heavy", commands.heavy_worker(environ)),
            ("scheduler", commands.beat(environ, schedule=var / "celerybeat-schedule")),
        ):
            log = logs / f"{name}.log"
            supervisor.start(Program(name=name, command=command, log=log, restarts=3))
        supervisor.start(
            Program(
                name="web",
                command=commands.web(environ, host=host, port=port),
                log=logs / "web.log",
                healthy=lambda: _answers(f"{site}/healthz"),
                restarts=3,
            )
        )
        yield Stage(supervisor=supervisor, broker_url=url, site=site)


@contextmanager
def _broker() -> Iterator[str]:
    """Yield the URL of a broker, or nothing where only kombu's file system transport is left."""
    try:
        with valkey.broker(os.environ) as url:
            yield url
    except valkey.NoValkeyServer:
        yield ""


def _answers(url: str) -> bool:
    try:
        with urlopen(url, timeout=5) as response:  # noqa: S310  (our own address)
            return bool(response.status == 200)  # noqa: PLR2004  (OK)
    except (URLError, OSError):
        return False
