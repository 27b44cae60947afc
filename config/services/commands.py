"""The command lines of the site's own processes."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from config.services.children import Command

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).resolve().parents[2]  # where manage.py lies, and `config` is importable
LIGHT_QUEUES = ("intake", "lineage", "report")
HEAVY_QUEUES = ("heavy",)
GPU_QUEUES = ("gpu", *HEAVY_QUEUES)  # of a worker on a machine with a CUDA device

_THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)
_LIGHT_MEMORY_KIB = 512 * 1024  # a light process above this is replaced after its task


def light_worker(environ: Mapping[str, str]) -> Command:
    """Return the worker of everything that is quick."""
    limit = f"--max-memory-per-child={_LIGHT_MEMORY_KIB}"
    return _celery(environ, *_worker("light", LIGHT_QUEUES), limit)


def heavy_worker(environ: Mapping[str, str]) -> Command:
    """Return the worker of training, unlearning and attacks: one job at a time."""
    cuda = environ.get("EXPUNGE_DEVICE", "").strip().lower() == "cuda"
    return _celery(environ, *_worker("heavy", GPU_QUEUES if cuda else HEAVY_QUEUES))


def beat(environ: Mapping[str, str], *, schedule: Path) -> Command:
    """Return the scheduler; it keeps what it has run last in the file ``schedule``."""
    return _celery(environ, "beat", "--loglevel=INFO", f"--schedule={schedule}")


def web(environ: Mapping[str, str], *, host: str, port: int, threads: int = 8) -> Command:
    """Return the web server: one process with ``threads`` threads.

    It keeps no access log: addresses of visitors are personal data.
    """
    name = f"[{host}]" if ":" in host else host
    return _python(
        environ,
        "gunicorn",
        "config.wsgi:application",
        f"--bind={name}:{port}",
        "--workers=1",
        "--worker-class=gthread",
        f"--threads={threads}",
        # Its control socket would lie in the user's home, shared by every installation.
        "--no-control-socket",
    )


def one_thread_each(environ: Mapping[str, str]) -> dict[str, str]:
    """Return ``environ`` with one BLAS thread for every process, where it does not say otherwise.

    Several processes that each take every core slow one another down by about half.
    """
    return {**dict.fromkeys(_THREAD_VARIABLES, "1"), **environ}


def _worker(name: str, queues: tuple[str, ...]) -> tuple[str, ...]:
    return (
        "worker",
        "-Q",
        ",".join(queues),
        "-c",
        "1",
        "--pool",
        "prefork",
        "-n",
        f"{name}@%h",
        "--loglevel=INFO",
        # Workers need not know one another: the job row decides who works.
        "--without-gossip",
        "--without-mingle",
    )


def _celery(environ: Mapping[str, str], *words: str) -> Command:
    return _python(environ, "celery", "-A", "config", *words)


def _python(environ: Mapping[str, str], module: str, *words: str) -> Command:
    argv = (sys.executable, "-m", module, *words)
    return Command(argv=argv, env=one_thread_each(environ), cwd=ROOT)
