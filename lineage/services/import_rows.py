"""The rows of an import: what is asked of one, and what became of them."""

from __future__ import annotations

import mimetypes
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from lineage.core.content_digest import content_digest
from lineage.core.identifiers import EMAIL, LONGEST, IdentifierNotUsable, lookup_digest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

# What one transaction takes: rows with a content to store, rows in all, bytes.
_CONTENTS, _ROWS, _BYTES = 500, 10_000, 32 * 1024 * 1024
_LONGEST_TARGET, _LONGEST_MEDIA_TYPE = 200, 100
MOST_NAMED = 1000  # conflicts that a report names
_UNKNOWN_TYPE = "application/octet-stream"


class RowRefused(ValueError):
    """A row cannot be imported; the text is the sentence for the report."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """One record to import.

    * ``line``: where it stood, for messages;
    * ``key``: what the source system calls the record; unique among the records of a person;
    * ``subject``: identifier of the person, of kind ``kind``;
    * ``content``: the bytes, or the file that holds them; None for a record that is known here for
      its lineage alone.
    """

    line: int
    key: str
    subject: str = field(repr=False)
    content: bytes | Path | None = field(repr=False)
    target: str = ""
    media_type: str = ""
    kind: str = EMAIL
    location: str = field(default="", repr=False)


@dataclass(frozen=True, kw_only=True)
class Rejection:
    """Why a row was not imported; the sentence holds no personal data."""

    line: int
    sentence: str


@dataclass(frozen=True, kw_only=True)
class Conflict:
    """A row that equals (distance 0) or resembles a record, or an earlier line, of another target.

    ``other`` is "record ORDINAL" or "line LINE". ``held``: no training is given it until staff
    release it.
    """

    line: int
    other: str
    distance: float
    held: bool = False

    @property
    def sentence(self) -> str:
        """What is alike, without the targets, which may tell of people."""
        how = (
            f"resembles that of (distance {self.distance:.3f})" if self.distance else "is that of"
        )
        return f"The content {how} {self.other}, which has another target."


@dataclass(frozen=True, kw_only=True)
class ImportReport:
    """What became of the rows; ``repeated`` ones had been imported before.

    ``located``: how many places of repeated rows were not known of their records.
    ``refused_before``: rows that an interrupted import had refused, and that are not named here.
    ``conflicts``: rows that are like others of another target, the first ``MOST_NAMED`` of
    ``conflicting``; ``held`` of those that were imported are held back.
    ``search_left_out``: pictures were too many for that search.
    """

    imported: int = 0
    repeated: int = 0
    located: int = 0
    rejected: tuple[Rejection, ...] = ()
    refused_before: int = 0
    conflicting: int = 0
    held: int = 0
    conflicts: tuple[Conflict, ...] = ()
    search_left_out: bool = False

    def __add__(self, other: ImportReport) -> ImportReport:
        return ImportReport(
            imported=self.imported + other.imported,
            repeated=self.repeated + other.repeated,
            located=self.located + other.located,
            rejected=self.rejected + other.rejected,
            refused_before=self.refused_before + other.refused_before,
            conflicting=self.conflicting + other.conflicting,
            held=self.held + other.held,
            conflicts=(*self.conflicts, *other.conflicts)[:MOST_NAMED],
            search_left_out=self.search_left_out or other.search_left_out,
        )

    @property
    def seen(self) -> int:
        """Number of rows read."""
        return self.imported + self.repeated + len(self.rejected)


@dataclass(frozen=True, kw_only=True, slots=True)
class CheckedRow:
    """A row that is fit to be stored, with its content read."""

    line: int
    key: str
    owner: tuple[str, str]
    content: bytes | None = field(repr=False)
    sha256: str
    target: str
    media_type: str
    location: str = field(default="", repr=False)


class Lookup:
    """The digests of people, each computed once as long as it is remembered."""

    _MOST = 200_000

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._known: dict[tuple[str, str], str] = {}

    def __call__(self, kind: str, value: str) -> str:
        """Return the lookup digest of an identifier. Raises IdentifierNotUsable."""
        if (found := self._known.get((kind, value))) is None:
            if len(self._known) > self._MOST:
                self._known.clear()
            found = self._known[kind, value] = lookup_digest(self._key, kind, value)
        return found


def checked(row: Row, lookup: Lookup) -> CheckedRow:
    """Return a row with its content and the digest of its person.

    Raises:
        RowRefused: with the sentence for the report.
    """
    if not row.key or len(row.key) > LONGEST:
        raise RowRefused(f"The key has {len(row.key)} characters; allowed are 1 to {LONGEST}.")
    if len(row.target) > _LONGEST_TARGET:
        raise RowRefused(
            f"The target has {len(row.target)} characters; allowed are {_LONGEST_TARGET}."
        )
    try:
        digest = lookup(row.kind, row.subject)
    except IdentifierNotUsable as error:
        raise RowRefused(f"The subject cannot be used. {error}") from error
    content = None if row.content is None else _content(row.content)
    return CheckedRow(
        line=row.line,
        key=row.key,
        owner=(row.kind, digest),
        content=content,
        sha256="" if content is None else content_digest(content),
        target=row.target,
        media_type=_media_type(row),
        location=row.location,
    )


def _content(content: bytes | Path) -> bytes:
    if isinstance(content, Path):
        try:
            content = content.read_bytes()
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or "the path is not valid"
            raise RowRefused(f"The file of the row cannot be read: {reason}.") from error
    if not content:
        raise RowRefused("The content of the row is empty.")
    return content


def _media_type(row: Row) -> str:
    if row.content is None:
        return ""
    guessed = mimetypes.guess_type(row.content.name)[0] if isinstance(row.content, Path) else None
    media_type = row.media_type or guessed or _UNKNOWN_TYPE
    if len(media_type) > _LONGEST_MEDIA_TYPE:
        raise RowRefused(
            f"The media type has {len(media_type)} characters; allowed are {_LONGEST_MEDIA_TYPE}."
        )
    return media_type


@dataclass(kw_only=True)
class Portion:
    """Rows that fit into memory and into one transaction."""

    fit: list[CheckedRow] = field(default_factory=list)
    rejected: list[Rejection] = field(default_factory=list)
    contents: int = 0
    size: int = 0

    @property
    def full(self) -> bool:
        """Say whether the portion should be stored now."""
        rows = len(self.fit) + len(self.rejected)
        return self.contents >= _CONTENTS or rows >= _ROWS or self.size >= _BYTES

    def take(self, row: Row | Rejection, lookup: Lookup) -> None:
        """Check a row and keep it, or the reason against it."""
        if isinstance(row, Rejection):
            self.rejected.append(row)
            return
        try:
            fit = checked(row, lookup)
        except RowRefused as refusal:
            self.rejected.append(Rejection(line=row.line, sentence=str(refusal)))
        else:
            self.fit.append(fit)
            self.contents += fit.content is not None
            self.size += len(fit.content or b"")


def portions(rows: Iterable[Row | Rejection], lookup_key: bytes) -> Iterator[Portion]:
    """Yield the rows in portions, each row checked."""
    lookup = Lookup(lookup_key)
    portion = Portion()
    for row in rows:
        portion.take(row, lookup)
        if portion.full:
            yield portion
            portion = Portion()
    yield portion
