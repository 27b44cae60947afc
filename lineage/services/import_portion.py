"""One portion of an import on its way into the database and the store."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from django.db import transaction

from lineage import artifacts, keys
from lineage.core.identifiers import record_digest
from lineage.models import DataRecord, DataSubject, RecordContent
from lineage.services.import_rows import ImportReport, Rejection
from lineage.services.locking import lock_space
from lineage.services.ordinals import take_ordinals
from lineage.services.subjects import ensure_subjects, key_name, suppressed

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from lineage.artifacts import StoredFile
    from lineage.services.import_rows import CheckedRow, Portion

_SUPPRESSED = "The person of the row asked to be erased and must not be imported again."
_ERASED = "The person of the row was erased, so their records cannot be stored."
_CHANGED = (
    "The key of the row was imported before with other content; records do not change, "
    "so import it under a new key."
)


@dataclass(frozen=True, kw_only=True)
class _Owned:
    """A row with the person it belongs to and the keyed digest of its key."""

    row: CheckedRow
    subject_id: int
    key_hmac: bytes

    @property
    def identity(self) -> tuple[int, bytes]:
        return self.subject_id, self.key_hmac


@dataclass(kw_only=True)
class PortionImport:
    """One portion on its way into the database."""

    space_id: int
    now: datetime
    portion: Portion
    repeated: int = 0
    rejected: list[Rejection] = field(default_factory=list)

    def run(self) -> ImportReport:
        """Store what can be stored and report on every row of the portion."""
        self.rejected += self.portion.rejected
        # Asked twice: here to store nothing in vain, below because others import as well.
        wanted = self._unknown(self._owned(self._allowed()))
        imported = self._store(wanted) if wanted else 0
        self.rejected.sort(key=lambda rejection: rejection.line)
        return ImportReport(
            imported=imported, repeated=self.repeated, rejected=tuple(self.rejected)
        )

    def _reject(self, row: CheckedRow, sentence: str) -> None:
        self.rejected.append(Rejection(line=row.line, sentence=sentence))

    def _allowed(self) -> list[CheckedRow]:
        barred = suppressed({row.owner[1] for row in self.portion.fit})
        for row in self.portion.fit:
            if row.owner[1] in barred:
                self._reject(row, _SUPPRESSED)
        return [row for row in self.portion.fit if row.owner[1] not in barred]

    def _owned(self, rows: list[CheckedRow]) -> list[_Owned]:
        owners = ensure_subjects(digests=(row.owner for row in rows), now=self.now)
        secrets = keys.get_many(key_name(owner.pseudonym) for owner in owners.values())
        owned = []
        for row in rows:
            owner = owners[row.owner]
            if (secret := secrets.get(key_name(owner.pseudonym))) is None:
                self._reject(row, _ERASED)
                continue
            digest = record_digest(secret, row.key)
            owned.append(_Owned(row=row, subject_id=owner.id, key_hmac=digest))
        return owned

    def _unknown(self, rows: Iterable[_Owned]) -> list[_Owned]:
        """Return the rows not imported yet; count or reject the others."""
        rows = list(rows)
        known = self._known(rows)
        fresh = []
        for owned in rows:
            if (sha256 := known.get(owned.identity)) is None:
                known[owned.identity] = owned.row.sha256
                fresh.append(owned)
            elif sha256 == owned.row.sha256:
                self.repeated += 1
            else:
                self._reject(owned.row, _CHANGED)
        return fresh

    def _known(self, rows: Sequence[_Owned]) -> dict[tuple[int, bytes], str]:
        records = DataRecord.objects.filter(
            space=self.space_id,
            subject__in={owned.subject_id for owned in rows},
            key_hmac__in=[owned.key_hmac for owned in rows],
        )
        identities = {
            ordinal: (subject, bytes(digest or b""))
            for ordinal, subject, digest in records.values_list(
                "ordinal", "subject_id", "key_hmac"
            )
        }
        contents = RecordContent.objects.filter(space=self.space_id, ordinal__in=identities)
        digests = dict(contents.values_list("ordinal", "sha256"))
        return {identity: digests.get(at, "") for at, identity in identities.items()}

    def _store(self, wanted: list[_Owned]) -> int:
        # The slow part, writing, comes before the transaction; moving a file is quick.
        staged: dict[tuple[int, bytes], StoredFile] = {}
        try:
            for owned in wanted:
                staged[owned.identity] = artifacts.stage(owned.row.content)
            with transaction.atomic():
                return self._commit(wanted, staged)
        finally:
            for file in staged.values():
                artifacts.destroy(file.uri)

    def _commit(self, wanted: list[_Owned], staged: dict[tuple[int, bytes], StoredFile]) -> int:
        space = lock_space(self.space_id)
        rows = self._living(self._unknown(wanted))
        first = take_ordinals(space, len(rows))
        files = [staged[owned.identity] for owned in rows]
        try:
            placed = artifacts.place(files, space_id=space.public_id, first=first)
            for owned in rows:
                del staged[owned.identity]  # moved, so there is nothing to clean up
            self._insert(rows, placed, first)
        except BaseException:
            # While the lock is held: afterwards these ordinals may be somebody else's.
            for ordinal in range(first, first + len(rows)):
                artifacts.destroy(artifacts.record_uri(space.public_id, ordinal))
            raise
        return len(rows)

    def _living(self, rows: list[_Owned]) -> list[_Owned]:
        """Lock the people, so that none is erased before their records are stored."""
        people = DataSubject.objects.select_for_update().filter(
            id__in={owned.subject_id for owned in rows}, erased_at=None
        )
        living = set(people.order_by("id").values_list("id", flat=True))
        for owned in rows:
            if owned.subject_id not in living:
                self._reject(owned.row, _ERASED)
        return [owned for owned in rows if owned.subject_id in living]

    def _insert(self, rows: list[_Owned], placed: list[StoredFile], first: int) -> None:
        DataRecord.objects.bulk_create(
            DataRecord(
                space_id=self.space_id,
                ordinal=ordinal,
                subject_id=owned.subject_id,
                key_hmac=owned.key_hmac,
                generated_at=self.now,
            )
            for ordinal, owned in enumerate(rows, start=first)
        )
        RecordContent.objects.bulk_create(
            RecordContent(
                space_id=self.space_id,
                ordinal=ordinal,
                target=owned.row.target,
                media_type=owned.row.media_type,
                uri=file.uri,
                sha256=file.sha256,
                size=file.size,
            )
            for ordinal, (owned, file) in enumerate(zip(rows, placed, strict=True), start=first)
        )
