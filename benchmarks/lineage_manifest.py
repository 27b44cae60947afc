"""How long a manifest of a million records takes, and what a record takes on the disk.

    python -m benchmarks.lineage_manifest --json [--quick] [--out FILE]

On SQLite and on a private PostgreSQL: 100,000 people with ten records each, in random order, no
contents (a manifest without paths), through the same service as ``manage.py import_records``.
"""

from __future__ import annotations

import csv
import random
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.command import run
from benchmarks.installation import in_both, prepared, table_bytes

RECORDS, PER_PERSON = 1_000_000, 10


def measure(*, quick: bool = False) -> dict[str, Any]:
    """Return seconds and bytes per record by engine."""
    records = RECORDS // 10 if quick else RECORDS
    found = in_both("benchmarks.lineage_manifest:here", {"records": records})
    return {
        "records": records,
        "manifest_1m_seconds": max(one["seconds"] for one in found.values()) * RECORDS / records,
        "extrapolated_from": records,
        **found,
    }


def here(records: int) -> dict[str, Any]:
    """Import into the database that is configured in this process."""
    prepared()
    from django.utils import timezone  # noqa: PLC0415  (Django is set up now)

    from lineage.services.manifest_import import import_manifest  # noqa: PLC0415

    with tempfile.TemporaryDirectory() as folder:
        path = _written(Path(folder) / "manifest.csv", records)
        started = time.perf_counter()
        report = import_manifest(path=path, dataset_name="bench", now=timezone.now())
        seconds = time.perf_counter() - started
    assert (report.imported, report.rejected) == (records, ())  # noqa: S101  (a benchmark)
    size = table_bytes("lineage_datarecord")
    return {"seconds": round(seconds, 2), "bytes_per_record": round(size / records, 1)}


def _written(path: Path, records: int) -> Path:
    rows = [
        (f"photo-{number}", f"person{number // PER_PERSON}@example.org")
        for number in range(records)
    ]
    random.Random(1).shuffle(rows)  # noqa: S311  (an order, not a secret)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["key", "subject"])
        writer.writerows(rows)
    return path


if __name__ == "__main__":
    run(measure, __doc__ or "")
