"""Backups that are restored: of the rows about people, or of everything there is."""

from __future__ import annotations

import copy
import uuid

from django.db import connection
from django.utils import timezone
from fsspec.implementations.memory import MemoryFileSystem

from lineage import artifacts
from lineage.models import (
    DataRecord,
    DataSubject,
    Job,
    LineagePurge,
    ModelVersion,
    OrdinalSpace,
    RecordContent,
    Restriction,
    SubjectIdentifier,
)
from lineage.services import missing_erasures
from lineage.services.journal import write_journal
from tests.audits.world import ADA, BERT, CLEO

RESTORED = (DataRecord, DataSubject, SubjectIdentifier, RecordContent, OrdinalSpace)


def saved():
    """What a backup would hold of people and data."""
    rows = {model: list(model.objects.all()) for model in RESTORED}
    files = {row.uri: artifacts.read(row.uri, row.sha256) for row in RecordContent.objects.all()}
    return rows, files


def restore(backup):
    """Bring rows and files back as they were; the key store and the journal are not in it."""
    rows, files = backup
    Restriction.objects.all().delete()
    LineagePurge.objects.all().delete()
    for model in (RecordContent, SubjectIdentifier):
        model.objects.all().delete()
    for model, saved in rows.items():
        for row in saved:
            row.save(force_insert=not model.objects.filter(pk=row.pk).exists())
    for row in rows[RecordContent]:
        ordinal = row.ordinal
        artifacts.write_record(row.space.public_id, ordinal, files[row.uri])
    ModelVersion.objects.filter(model_name="base", version=1).update(state="ACTIVE")
    missing_erasures._settled.clear()


def whole_backup():
    """Database and store; keys and journal are in no backup."""
    from pysqlite3 import dbapi2

    kept = dbapi2.connect(":memory:")
    connection.connection.backup(kept)
    return kept, copy.deepcopy(MemoryFileSystem.store)


def bring_back(backup):
    saved, files = backup
    saved.backup(connection.connection)
    saved.close()
    MemoryFileSystem.store.clear()
    MemoryFileSystem.store.update(files)
    missing_erasures._settled.clear()


def journalled(world, ordinals):
    """An erasure that the journal names and this database does not know."""
    write_journal(
        case_id=uuid.uuid4(), space=world.dataset.space, ordinals=ordinals, now=timezone.now()
    )
    missing_erasures._settled.clear()


def to_erase(world):
    """A case whose job that erases is queued."""
    world.train("base", world.snapshot(ADA, BERT, CLEO))
    world.accepted()
    world.work(until=lambda: Job.objects.filter(kind="ERASE", status="QUEUED").exists())
    return Job.objects.get(kind="ERASE")
