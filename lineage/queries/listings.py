"""What programs list and look up: records, snapshots, runs and versions, and people's records."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from django.db.models import Q
from pyroaring import BitMap

from lineage.models import (
    DataRecord,
    DatasetSnapshot,
    DataSubject,
    ModelVersion,
    OrdinalSpace,
    RecordContent,
    Run,
)
from lineage.queries.availability import restricted_ordinals
from lineage.queries.subjects import records_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.db.models import QuerySet

HIGHEST = 2**32


class NotHere(LookupError):
    """What was asked for does not exist here."""


class RecordUnreadable(ValueError):
    """A record is not named as records are."""


def versions() -> QuerySet[ModelVersion]:
    """Return every version but shadow models, which nobody outside an audit is told of."""
    every = ModelVersion.objects.exclude(kind=ModelVersion.Kind.SHADOW)
    return every.select_related("generated_by")


def version_called(version_id: UUID) -> ModelVersion:
    """Return a version. Raises NotHere."""
    found = versions().filter(pk=version_id).first()
    if found is None:
        raise NotHere(f"There is no version {version_id} here.")
    return found


def runs() -> QuerySet[Run]:
    """Return every run but the training of shadow models."""
    every = Run.objects.exclude(activity=Run.Activity.SHADOW)
    return every.select_related("procedure")


def run_called(run_id: UUID) -> Run:
    """Return a run. Raises NotHere."""
    found = runs().filter(pk=run_id).first()
    if found is None:
        raise NotHere(f"There is no run {run_id} here.")
    return found


def snapshots() -> QuerySet[DatasetSnapshot]:
    """Return every snapshot with its data set."""
    return DatasetSnapshot.objects.select_related("dataset", "space")


def snapshot_called(snapshot_id: UUID) -> DatasetSnapshot:
    """Return a snapshot. Raises NotHere."""
    found = snapshots().filter(pk=snapshot_id).first()
    if found is None:
        raise NotHere(f"There is no snapshot {snapshot_id} here.")
    return found


def space_called(name: str) -> OrdinalSpace:
    """Return a space by its public id or its name. Raises NotHere."""
    by_id = Q(public_id=name) if _is_uuid(name) else Q()
    found = OrdinalSpace.objects.filter(by_id | Q(name=name)).first() if name else None
    if found is None:
        raise NotHere("There is no such space of records here.")
    return found


def record_called(name: str) -> DataRecord:
    """Return a record by ``SPACE:ORDINAL``, the space by its public id or its name.

    Raises:
        RecordUnreadable: it is not of this form.
        NotHere: there is no such record.
    """
    space, _, ordinal = name.rpartition(":")
    if not (space and ordinal.isascii() and ordinal.isdigit() and int(ordinal) < HIGHEST):
        raise RecordUnreadable(
            "record is not of the form SPACE:ORDINAL, such as digits:17; the space may be named "
            f"by its id as well, and the ordinal is below {HIGHEST}."
        )
    rows = DataRecord.objects.select_related("space", "subject")
    found = rows.filter(space=space_called(space), ordinal=int(ordinal)).first()
    if found is None:
        raise NotHere("There is no record of this ordinal in this space.")
    return found


def subject_called(pseudonym: UUID) -> DataSubject:
    """Return a person by their pseudonym. Raises NotHere."""
    found = DataSubject.objects.filter(pseudonym=pseudonym).first()
    if found is None:
        raise NotHere(f"There is nobody with the pseudonym {pseudonym} here.")
    return found


def asked_about(*, record: str = "", subject: UUID | None = None) -> Mapping[OrdinalSpace, BitMap]:
    """Return the records that a question is about: one record, or all of a person's.

    Raises:
        RecordUnreadable: neither or both are named, or the record is not named as records are.
        NotHere: there is no such record or person.
    """
    if bool(record) == bool(subject):
        raise RecordUnreadable("Name a record or a subject, and not both.")
    if subject:
        return records_of(subject_called(subject))
    found = record_called(record)
    return {found.space: BitMap([found.ordinal])}


def restricted_of(subject: DataSubject) -> int:
    """Return how many records of a person may not be used at the moment."""
    return sum(len(own & restricted_ordinals(space)) for space, own in records_of(subject).items())


def content_of(record: DataRecord) -> RecordContent | None:
    """Return where the content of a record lies and what it is; None where it is not stored."""
    return RecordContent.objects.filter(space=record.space_id, ordinal=record.ordinal).first()


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True
