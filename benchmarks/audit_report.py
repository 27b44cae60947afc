"""What a report of a sealed case takes, and what both programs take to verify it.

The case is the one of the tests: three versions, five pieces of evidence, every figure.
"""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys
import tempfile
from importlib import import_module
from pathlib import Path
from typing import Any

from benchmarks.installation import prepared
from benchmarks.timing import Taken, timed

ROOT = Path(__file__).resolve().parents[1]


def reported(*, repeats: int) -> dict[str, Any]:
    """Return seconds of making the report and of verifying the zip; each is repeated.

    ``first`` has what is loaded once in a process: a worker writes every report in a new one. The
    programs are timed as commands, from start to end.
    """
    prepared()
    from django.db import transaction  # noqa: PLC0415

    from audits import keys  # noqa: PLC0415
    from audits.core.bundle import verify_path  # noqa: PLC0415

    keys.create_signing_key()
    with transaction.atomic():
        request = import_module("tests.audits.sealed_cases").erased_case()
    data, vkey = bytes(request.record.data), keys.verifier_text()
    first = timed(lambda: _rendered(data, vkey))
    again = [timed(lambda: _rendered(data, vkey)) for _ in range(repeats)]
    with tempfile.TemporaryDirectory() as folder:
        zipped, key = Path(folder) / "case.zip", Path(folder) / "keys.vkey"
        zipped.write_bytes(_zip_of(request))
        key.write_text(f"{vkey}\n", encoding="utf-8")
        programs = {
            "verify.py": ["-I", "expunge/standalone/verify.py"],
            "manage.py verify": ["manage.py", "verify"],
        }
        taken = {
            name: [_run([*start, str(zipped), "--key", str(key)]) for _ in range(repeats)]
            for name, start in programs.items()
        }
        inside = [timed(lambda: verify_path(zipped, vkey=vkey)) for _ in range(repeats)]
        size = zipped.stat().st_size
    return {
        "report": {"first": _seconds([first]), "again": _seconds(again)},
        "verify": {name: _seconds(each) for name, each in taken.items()},
        "verify_in_process": _seconds(inside),
        "zip_bytes": size,
        "repeats": repeats,
    }


def _rendered(data: bytes, vkey: str) -> bytes:
    from audits.execution import reporting  # noqa: PLC0415  (what it loads is part of the time)

    return reporting.render(data, vkey=vkey)


def _zip_of(request: Any) -> bytes:  # noqa: ANN401  (an ErasureRequest)
    from django.utils import timezone  # noqa: PLC0415

    from audits.execution import reporting  # noqa: PLC0415
    from audits.execution.case_zip import case_zip  # noqa: PLC0415

    reporting.write_case_report(case_id=request.pk, now=timezone.now())
    return case_zip(request)


def _run(command: list[str]) -> Taken:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    before = used.ru_utime + used.ru_stime
    whole = [sys.executable, *command]
    taken = timed(lambda: subprocess.run(whole, cwd=ROOT, check=True, capture_output=True))  # noqa: S603  (ours)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return Taken(wall=taken.wall, processor=used.ru_utime + used.ru_stime - before)


def _seconds(taken: list[Taken]) -> dict[str, float]:
    """Return the medians by the clock and of the processor."""
    return {
        "seconds": round(statistics.median(one.wall for one in taken), 3),
        "processor_seconds": round(statistics.median(one.processor for one in taken), 3),
    }
