"""Import a manifest so that an interrupted import goes on where it stopped."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING

from django.db.models import F

from lineage.models import ManifestImport
from lineage.services.importing import ImportReport, ensure_dataset, import_records
from lineage.services.manifest import ManifestUnreadable, read_manifest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from datetime import datetime
    from pathlib import Path

    from lineage.services.import_rows import Rejection, Row


class ImportedBefore(ValueError):
    """The manifest was imported whole, with no row refused; ``rows`` says how many there are."""

    def __init__(self, sentence: str, rows: int) -> None:
        super().__init__(sentence)
        self.rows = rows


def import_manifest(
    *,
    path: Path,
    dataset_name: str,
    now: datetime,
    encoding: str = "",
    progress: Callable[[ImportReport], None] | None = None,
) -> ImportReport:
    """Import the rows of a manifest that were not dealt with before; report on those.

    How far it came is stored with each portion. A manifest that was interrupted goes on after the
    last portion; one that ended with refused rows begins anew (what was imported is counted as
    repeated), so that what was mended outside, such as a missing file, comes in.

    Raises:
        ImportedBefore: nothing is left to do.
        ManifestUnreadable, DatasetMisnamed, SpaceFull, StoreFull, StoreNotWritable: see
            ``read_manifest`` and ``import_records``.
    """
    session = _session(path, dataset_name, now)
    done = session.line

    def note(portion: ImportReport) -> None:
        nonlocal done
        done += portion.seen
        ManifestImport.objects.filter(id=session.id).update(
            line=done,
            imported=F("imported") + portion.imported,
            repeated=F("repeated") + portion.repeated,
            rejected=F("rejected") + len(portion.rejected),
            updated_at=now,
        )

    rows = read_manifest(path, encoding=encoding)
    report = import_records(
        dataset_name=dataset_name,
        rows=_after(rows, done),
        now=now,
        progress=progress,
        note=note,
    )
    ManifestImport.objects.filter(id=session.id).update(finished_at=now)
    return replace(report, refused_before=session.rejected)


def _after(rows: Iterable[Row | Rejection], count: int) -> Iterator[Row | Rejection]:
    return (row for number, row in enumerate(rows) if number >= count)


def _session(path: Path, dataset_name: str, now: datetime) -> ManifestImport:
    dataset = ensure_dataset(name=dataset_name)
    session, _ = ManifestImport.objects.get_or_create(
        dataset=dataset,
        manifest_sha256=_digest(path),
        defaults={"started_at": now, "updated_at": now},
    )
    if session.finished_at is None:
        return session
    if not session.rejected:
        raise ImportedBefore(
            f"{path} was imported into {dataset_name} on {session.finished_at:%Y-%m-%d %H:%M}: "
            f"{session.imported} records, and no row was refused.",
            rows=session.line,
        )
    ManifestImport.objects.filter(id=session.id).update(
        line=0, imported=0, repeated=0, rejected=0, finished_at=None
    )
    session.refresh_from_db()
    return session


def _digest(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ManifestUnreadable(f"{path} cannot be read: {error.strerror}.") from error
