"""Bring records into a data set: ordinals, owners, keyed digests and contents."""

from __future__ import annotations

import mimetypes
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from django.db import transaction

from lineage import artifacts, keys
from lineage.core.bitmaps import HIGHEST_ORDINAL
from lineage.core.identifiers import (
    EMAIL,
    IdentifierNotUsable,
    lookup_digest,
    record_digest,
)
from lineage.models import DataRecord, Dataset, DataSubject, OrdinalSpace, RecordContent
from lineage.services.locking import lock_space
from lineage.services.subjects import ensure_subjects, key_name, suppressed

if TYPE_CHECKING:
    import uuid
    from datetime import datetime

    from lineage.artifacts import StoredFile

_ROWS, _BYTES = 500, 32 * 1024 * 1024  # what one transaction takes
_LONGEST_TARGET = 200


class SpaceFull(OverflowError):
    """A space has handed out all its 4,294,967,296 ordinals."""


class DatasetMisnamed(ValueError):
    """The name of a data set cannot be used."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """One record to import.

    * ``line``: where it stood, for messages;
    * ``key``: what the source system calls the record; unique among the records of a person;
    * ``subject``: identifier of the person, of kind ``kind``;
    * ``content``: the bytes, or the file that holds them.
    """

    line: int
    key: str
    subject: str = field(repr=False)
    content: bytes | Path = field(repr=False)
    target: str = ""
    media_type: str = ""
    kind: str = EMAIL


@dataclass(frozen=True, kw_only=True)
class Rejection:
    """Why a row was not imported; the sentence holds no personal data."""

    line: int
    sentence: str


@dataclass(frozen=True, kw_only=True)
class ImportReport:
    """What became of the rows; ``repeated`` ones had been imported before."""

    imported: int = 0
    repeated: int = 0
    rejected: tuple[Rejection, ...] = ()

    def __add__(self, other: ImportReport) -> ImportReport:
        return ImportReport(
            imported=self.imported + other.imported,
            repeated=self.repeated + other.repeated,
            rejected=self.rejected + other.rejected,
        )

    @property
    def seen(self) -> int:
        """Number of rows read."""
        return self.imported + self.repeated + len(self.rejected)


@dataclass(frozen=True, kw_only=True)
class _Checked:
    """A row that is fit to be stored."""

    row: Row
    digest: str
    media_type: str
    file: StoredFile


class _RowRefused(ValueError):
    """A row cannot be imported; the text is the sentence for the report."""
