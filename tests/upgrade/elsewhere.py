"""Python in a process of its own: the settings of this one name another database."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
_KEPT = frozenset({"PATH", "HOME", "LANG"})


def run(script: str, *arguments: str, home: Path, database: str = "") -> str:
    """Run a script and return what it printed.

    Args:
        script: its text.
        arguments: its ``sys.argv[1:]``.
        home: where its database, keys and files lie.
        database: the address of one on a server; none for SQLite in ``home``.
    """
    ended = subprocess.run(
        [sys.executable, "-c", script, *arguments],
        cwd=ROOT,
        env=_clean(home, database),
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr[-2000:]
    return ended.stdout


def _clean(home: Path, database: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name in _KEPT}
    return {
        **kept,
        **({"DATABASE_URL": database} if database else {}),
        "EXPUNGE_HOME": str(home),
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "PYTHONPATH": str(ROOT),
        "OMP_NUM_THREADS": "1",
    }
