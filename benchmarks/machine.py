"""What a measurement was made on."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from typing import Any

PACKAGES = ("torch", "numpy", "scipy", "django", "celery", "pyroaring", "psycopg", "networkx")


def machine() -> dict[str, Any]:
    """Return processor, cores, memory, load and versions, as JSON can hold them."""
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return {
        "processor": platform.machine(),
        "cores": os.cpu_count(),
        "memory_gib": round(pages / 2**30, 1),
        "load_before": os.getloadavg()[0],
        "python": platform.python_version(),
        "versions": {name: found for name in PACKAGES if (found := _version(name))},
    }


def _version(name: str) -> str | None:
    """Return the installed version; None where a measurement is made without the package."""
    try:
        return version(name)
    except PackageNotFoundError:
        return None
