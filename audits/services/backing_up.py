"""One backup of database, store and journal as a folder, and the way back from it.

The keys are in none: a copy of them is written to a folder of its own, where that is asked for.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import connection

from audits.models import SweepMark
from audits.services import registers
from lineage.models import Backup
from lineage.services import database_copies, store_copies

if TYPE_CHECKING:
    from collections.abc import Iterable

FORMAT = "expunge-backup-1"
ABOUT, DATABASE, STORE, JOURNAL = "backup.json", "database.dump", "store.tar", "journal.jsonl"
COVERS = "database, store, journal"
_BLOCK = 1 << 20
_LATELY = timedelta(minutes=1)


class BackupRefused(ValueError):
    """A backup cannot be made or restored; the sentence says why, and nothing was changed."""


@dataclass(frozen=True, kw_only=True)
class Kept:
    """What ``backup.json`` says; ``files`` are SHA-256 by name.

    ``migrations`` are those that its tables are of; none where an older release did not say.
    """

    name: str
    made_at: datetime
    expires_at: datetime
    engine: str
    files: dict[str, str]
    migrations: tuple[str, ...] = ()


def back_up(*, folder: Path, keys: Path | None, expires_at: datetime, now: datetime) -> Backup:
    """Write a backup into a new folder, register it and log that it was made.

    Args:
        folder: does not exist yet; its last part names the backup.
        keys: does not exist yet, if given: where a copy of the keys goes, outside of ``folder``.
        expires_at: when it is to be destroyed.
        now: when.

    Raises:
        BackupRefused: a folder is there, or the keys would lie with the database.
        DatabaseNotCopied: pg_dump is missing or failed.
        SettingRefused: the register does not take this name or day.
    """
    _check_folders(folder, keys)
    if Backup.objects.filter(name=folder.name).exists():
        raise BackupRefused(f"The register has a backup {folder.name!r} already; name another.")
    folder.mkdir(parents=True, mode=0o700)
    try:
        _write(folder, expires_at, now)
        if keys:
            shutil.copytree(settings.KEYS, keys)
            keys.chmod(0o700)
        return registers.keep_backup(
            user=None,
            now=now,
            name=folder.name,
            made_at=now,
            expires_at=expires_at,
            covers=COVERS,
        )
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def read_backup(folder: Path) -> Kept:
    """Return what a backup says of itself, once each file has the digest that it names.

    Raises:
        BackupRefused: it is none, a file is missing or altered, or it is of another engine.
    """
    try:
        told: dict[str, Any] = json.loads((folder / ABOUT).read_bytes())
        kept = Kept(
            name=str(told["name"]),
            made_at=datetime.fromisoformat(told["made_at"]),
            expires_at=datetime.fromisoformat(told["expires_at"]),
            engine=str(told["engine"]),
            files={str(name): str(digest) for name, digest in told["files"].items()},
            migrations=tuple(str(one) for one in told.get("migrations", ())),
        )
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise BackupRefused(f"{folder} is no backup: its {ABOUT} cannot be read.") from error
    if told.get("format") != FORMAT or not {DATABASE, STORE} <= kept.files.keys():
        raise BackupRefused(f"{folder} is no backup of the format {FORMAT}.")
    if kept.engine != database_copies.engine():
        raise BackupRefused(
            f"The backup is of {kept.engine}, and DATABASE_URL names {database_copies.engine()}."
        )
    for name, digest in kept.files.items():
        if name not in {DATABASE, STORE, JOURNAL} or _digest(folder / name) != digest:
            raise BackupRefused(f"{name} of the backup is missing or was altered.")
    return kept


def put_back(*, folder: Path, journal_too: bool, stopped: bool, now: datetime) -> int:
    """Restore database and store; keys stay, and the journal, which is newer than any backup.

    Args:
        folder: of the backup.
        journal_too: the journal is lost, and its copy in the backup takes its place.
        stopped: somebody says that nothing serves or works any more.
        now: when.

    Returns:
        How many files of the store were written.

    Raises:
        BackupRefused: as ``read_backup``; or there is no journal, or one to be kept; or workers
            are there; or the tables are of another release and could not be replaced.
        DatabaseNotCopied, StoreNotCopied, StoreFull, StoreNotWritable: with a sentence.
    """
    kept = read_backup(folder)
    _check_database(kept)
    if not stopped:
        _check_nothing_works(now)
    journal = Path(settings.EXPUNGE_JOURNAL)
    if journal_too and journal.exists():
        raise BackupRefused(f"There is a journal at {journal}, newer than that of the backup.")
    if JOURNAL in kept.files and not journal.exists():
        if not journal_too:
            raise BackupRefused(
                f"There is no journal at {journal}, and there was one when the backup was made. "
                "Bring it back. If it is lost for good, --journal-lost takes the copy of the "
                "backup: whoever was erased after that stays until you erase them again."
            )
        journal.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        shutil.copyfile(folder / JOURNAL, journal)
        journal.chmod(0o600)
    database_copies.restore(folder / DATABASE)
    return store_copies.unpack(folder / STORE)


def end_sessions() -> None:
    """End every session of a restored database, as it may have been ended since the backup."""
    Session.objects.all().delete()


def note_restored(*, kept: Kept, now: datetime) -> None:
    """Log that a backup was restored, erasures replayed and all found whole."""
    if not Backup.objects.filter(name=kept.name).exists():
        # It was registered after the copy of the database was taken.
        registers.keep_backup(
            user=None,
            now=now,
            name=kept.name,
            made_at=kept.made_at,
            expires_at=kept.expires_at,
            covers=COVERS,
        )
    registers.note_drill(name=kept.name, user=None, now=now)


def _check_database(kept: Kept) -> None:
    """Refuse tables that pg_restore would not replace: it knows only those of the backup."""
    there = database_copies.applied()
    differ = kept.migrations and there and set(kept.migrations) != set(there)
    if differ and database_copies.engine() == "postgresql":
        raise BackupRefused(
            "The database has the tables of another release than the backup, and pg_restore does "
            "not remove what it does not know. Make an empty database, name it in DATABASE_URL, "
            "and run this again."
        )


def _check_nothing_works(now: datetime) -> None:
    table = SweepMark.objects.model._meta.db_table  # noqa: SLF001  (Django documents it)
    if table not in connection.introspection.table_names():
        return  # an empty database
    ended = SweepMark.objects.values_list("ended_at", flat=True).first()
    if ended and abs(now - ended) < _LATELY:
        raise BackupRefused(
            "A sweep ended less than a minute ago, so workers are there: they would go on with "
            "cases that the restored database does not know. Stop the site, the workers and the "
            "scheduler, then wait a minute, or say --everything-stopped."
        )


def _check_folders(folder: Path, keys: Path | None) -> None:
    given = [one for one in (folder, keys) if one]
    for one in given:
        if one.exists():
            raise BackupRefused(f"{one} is there already; name a folder that is not.")
    if keys and _one_in_the_other(folder.resolve(), keys.resolve()):
        raise BackupRefused(
            f"The keys would lie with the database, in {keys}; name a folder outside of {folder}, "
            "on another disk."
        )


def _one_in_the_other(one: Path, other: Path) -> bool:
    return one.is_relative_to(other) or other.is_relative_to(one)


def _write(folder: Path, expires_at: datetime, now: datetime) -> None:
    database_copies.dump(folder / DATABASE)
    store_copies.pack(folder / STORE)
    journal = Path(settings.EXPUNGE_JOURNAL)
    if journal.exists():
        shutil.copyfile(journal, folder / JOURNAL)
    files = _digests(folder, (DATABASE, STORE, JOURNAL))
    about = {
        "format": FORMAT,
        "name": folder.name,
        "made_at": now.isoformat(),
        "expires_at": expires_at.isoformat(),
        "engine": database_copies.engine(),
        "migrations": database_copies.applied(),
        "files": files,
    }
    for name in files:
        (folder / name).chmod(0o600)
    (folder / ABOUT).write_text(json.dumps(about, indent=2) + "\n")


def _digests(folder: Path, names: Iterable[str]) -> dict[str, str]:
    return {name: _digest(folder / name) for name in names if (folder / name).exists()}


def _digest(path: Path) -> str:
    """Return the SHA-256 of a file of any size; nothing where there is none."""
    found = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while block := file.read(_BLOCK):
                found.update(block)
    except OSError:
        return ""
    return found.hexdigest()
