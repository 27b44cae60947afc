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


# Of each program within a minute: more is a fault that a restart does not repair.
RESTARTS = 10
PATIENCE = 120.0  # seconds: after a reboot everything on a machine starts at once


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
        ValkeyDidNotStart, ProgramFailed: something did not start; the rest was stopped.
    """
    require_free(port, host=host)
    site = f"http://{host}:{port}"
    logs = var / "log"
    logs.mkdir(parents=True, exist_ok=True)
    (var / "broker" / "control").mkdir(parents=True, exist_ok=True)
    with _broker() as found, Supervisor(say=say) as supervisor:
        url = _started(found, supervisor)
        environ = {**os.environ, "EXPUNGE_SITE_URL": site, **(extra or {})}
        if url:
            environ["REDIS_URL"] = url
        for name, command in (
            ("worker", commands.light_worker(environ)),
            ("heavy", commands.heavy_worker(environ)),
            ("scheduler", commands.beat(environ, schedule=var / "celerybeat-schedule")),
        ):
            log = logs / f"{name}.log"
            supervisor.start(Program(name=name, command=command, log=log, restarts=RESTARTS))
        supervisor.start(
            Program(
                name="web",
                command=commands.web(environ, host=host, port=port),
                log=logs / "web.log",
                healthy=lambda: _answers(f"{site}/readyz"),
                patience=PATIENCE,
                restarts=RESTARTS,
            )
        )
        yield Stage(supervisor=supervisor, broker_url=url, site=site)


@contextmanager
def _broker() -> Iterator[str | valkey.Private]:
    """Yield a broker's URL, or the private server to start, or "" for kombu's file system."""
    if url := os.environ.get("REDIS_URL", ""):
        yield url
        return
    try:
        program = valkey.find_server(os.environ)
    except valkey.NoValkeyServer:
        yield ""
        return
    with valkey.private_place(program) as place:
        yield place


def _started(found: str | valkey.Private, supervisor: Supervisor) -> str:
    """Return the URL of the broker; a private one is watched as every other program is."""
    if isinstance(found, str):
        return found
    supervisor.start(
        Program(
            name="broker",
            command=found.command,
            log=found.log,
            healthy=lambda: valkey.answers(found.address),
            restarts=RESTARTS,
        )
    )
    return found.url


def _answers(url: str) -> bool:
    try:
        with urlopen(url, timeout=5) as response:  # noqa: S310  (our own address)
            return bool(response.status == 200)  # noqa: PLR2004  (OK)
    except (URLError, OSError):
        return False
