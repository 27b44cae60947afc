"""Virtual environments of other systems' own, built when they are first needed and kept.

They lie in ``EXPUNGE_BENCHMARK_CACHE``, else in ``~/.cache/expunge-benchmarks``.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_MINUTES = 5


class NotAvailable(RuntimeError):
    """An interpreter or a package is missing here; the text says which."""


def environment(name: str, python: Path, packages: Sequence[str]) -> Path:
    """Return the interpreter of an environment that has exactly these packages.

    Raises:
        NotAvailable: they cannot be installed.
    """
    home = cache() / name
    inside, stamp = home / "bin" / "python", home / "packages.txt"
    wanted = "\n".join([str(python), *packages])
    if stamp.exists() and stamp.read_text(encoding="utf-8") == wanted and inside.exists():
        return inside
    shutil.rmtree(home, ignore_errors=True)
    _run([str(python), "-m", "venv", str(home)])
    _run([str(inside), "-m", "pip", "install", "--quiet", *packages])
    stamp.write_text(wanted, encoding="utf-8")
    return inside


def cache() -> Path:
    """Return the folder in which environments are kept."""
    return Path(
        os.environ.get("EXPUNGE_BENCHMARK_CACHE", Path.home() / ".cache" / "expunge-benchmarks")
    )


def interpreter(version: str, named: str = "") -> Path:
    """Return a Python of this version: the one named, on PATH, or in a folder of pyenv.

    Raises:
        NotAvailable: there is none.
    """
    for candidate in [named] if named else _candidates(version):
        if _version(candidate) == version:
            return Path(candidate)
    raise NotAvailable(f"no Python {version} was found; name one with --python310")


def own_interpreter() -> Path:
    """Return the Python that this environment was made from."""
    return Path(os.path.realpath(sys.executable))


def _version(program: str) -> str:
    """Return the version of a Python; empty if there is none, as behind a shim of pyenv."""
    try:
        done = subprocess.run(  # noqa: S603
            [program, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"],
            capture_output=True,
            text=True,
            check=False,
        )
    except OSError:
        return ""
    return done.stdout.strip()


def _candidates(version: str) -> Iterator[str]:
    on_path = shutil.which(f"python{version}")
    if on_path:
        yield on_path
    yield from map(str, sorted(Path.home().glob(f".pyenv/versions/{version}*/bin/python")))


def _run(command: list[str]) -> None:
    try:
        done = subprocess.run(  # noqa: S603  (our own lists)
            command, capture_output=True, text=True, check=False, timeout=60 * _MINUTES
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NotAvailable(f"{' '.join(command)}: {error}") from error
    if done.returncode:
        last = (done.stderr.strip() or "no words").splitlines()[-1]
        raise NotAvailable(f"{' '.join(command[2:])} failed: {last}")
