"""One portion of an import on its way into the database and the store."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from django.db import transaction

from lineage import artifacts
from lineage.core.identifiers import record_digest
from lineage.models import RecordContent
from lineage.services.bulk import insert_records, known_records, living_people
from lineage.services.holding import keep_conflicts
from lineage.services.import_locations import add_locations, add_more_locations
from lineage.services.import_rows import MOST_NAMED, ImportReport, Rejection
from lineage.services.locking import lock_space
from lineage.services.ordinals import take_ordinals
from lineage.services.owners import ERASED, Owner

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from lineage.artifacts import StoredFile
    from lineage.models import OrdinalSpace
    from lineage.services.bulk import Identity
    from lineage.services.import_rows import CheckedRow, Conflict, Portion
    from lineage.services.label_conflicts import ConflictSearch
    from lineage.services.owners import Owners

_CHANGED = (
    "The key of the row was imported before with other content; records do not change, "
    "so import it under a new key."
)


@dataclass(frozen=True, slots=True)
class _Owned:
    """A row with the person it belongs to and the keyed digest of its key."""

    row: CheckedRow
    identity: Identity


@dataclass(kw_only=True)
class PortionImport:
    """One portion on its way into the database.

    ``note`` is called in the transaction that stores the portion, so that both stand or fall.
    """

    space_id: int
    now: datetime
    portion: Portion
    owners: Owners
    note: Callable[[ImportReport], None]
    search: ConflictSearch | None = None
    conflicts: list[Conflict] = field(default_factory=list)
    repeated: int = 0
    held: int = 0
    located: set[tuple[Identity, str]] = field(default_factory=set, repr=False)
    rejected: list[Rejection] = field(default_factory=list)

    def run(self) -> ImportReport:
        """Store what can be stored and report on every row of the portion."""
        self.rejected += self.portion.rejected
        wanted = self._owned()
        if any(owned.row.content is not None for owned in wanted):
            # Asked twice: here to store nothing in vain, below because others import as well.
            wanted = self._find_conflicts(self._unknown(wanted))
        return self._store(wanted)

    def _reject(self, row: CheckedRow, sentence: str) -> None:
        self.rejected.append(Rejection(line=row.line, sentence=sentence))

    def _owned(self) -> list[_Owned]:
        owners = self.owners.of({row.owner for row in self.portion.fit})
        owned = []
        for row in self.portion.fit:
            owner = owners[row.owner]
            if isinstance(owner, Owner):
                digest = record_digest(owner.secret, row.key)
                owned.append(_Owned(row, (owner.id, digest)))
            else:
                self._reject(row, owner)
        return owned

    def _unknown(self, rows: Iterable[_Owned]) -> list[_Owned]:
        """Return the rows not imported yet; count or reject the others."""
        rows = list(rows)
        known = self._known(rows)
        fresh = []
        for owned in rows:
            sha256 = known.get(owned.identity)
            if sha256 is None:
                known[owned.identity] = owned.row.sha256
                fresh.append(owned)
            elif owned.row.content is None or sha256 == owned.row.sha256:
                self.repeated += 1
                if owned.row.location:
                    self.located.add((owned.identity, owned.row.location))
            else:
                self._reject(owned.row, _CHANGED)
        return fresh

    def _find_conflicts(self, rows: list[_Owned]) -> list[_Owned]:
        """Note which rows are like records of another target."""
        if self.search is not None:
            self.conflicts = self.search.of([owned.row for owned in rows])
        return rows

    def _known(self, rows: list[_Owned]) -> dict[Identity, str]:
        found = known_records(self.space_id, {owned.identity for owned in rows})
        if not found or all(owned.row.content is None for owned in rows):
            return dict.fromkeys(found, "")
        contents = RecordContent.objects.filter(
            space=self.space_id, ordinal__in=list(found.values())
        )
        digests = dict(contents.values_list("ordinal", "sha256"))
        return {identity: digests.get(at, "") for identity, at in found.items()}

    def _store(self, wanted: list[_Owned]) -> ImportReport:
        # The slow part, writing, comes before the transaction; moving a file is quick.
        staged: dict[Identity, StoredFile] = {}
        try:
            for owned in wanted:
                if owned.row.content is not None:
                    staged[owned.identity] = artifacts.stage(owned.row.content)
            with transaction.atomic():
                imported = self._commit(wanted, staged) if wanted else 0
                report = self._report(imported, self._locate())
                self.note(report)
                return report
        finally:
            for file in staged.values():
                artifacts.destroy(file.uri)

    def _report(self, imported: int, located: int) -> ImportReport:
        self.rejected.sort(key=lambda rejection: rejection.line)
        return ImportReport(
            imported=imported,
            repeated=self.repeated,
            located=located,
            rejected=tuple(self.rejected),
            conflicting=len(self.conflicts),
            held=self.held,
            conflicts=tuple(self.conflicts[:MOST_NAMED]),
            search_left_out=self.search is not None and self.search.left_out,
        )

    def _commit(self, wanted: list[_Owned], staged: dict[Identity, StoredFile]) -> int:
        space = lock_space(self.space_id)
        rows = self._living(self._unknown(wanted))
        first = take_ordinals(space, len(rows))
        files = [staged[owned.identity] for owned in rows if owned.identity in staged]
        try:
            placed = artifacts.place(files, space_id=space.public_id, first=first)
            for owned in rows:
                staged.pop(owned.identity, None)  # moved, so there is nothing to clean up
            insert_records(space.id, first, (owned.identity for owned in rows), self.now)
            self._insert_contents(rows, placed, first)
            self._insert_locations(rows, first)
            self._keep_conflicts(space, rows, first)
        except BaseException:
            # While the lock is held: afterwards these ordinals may be somebody else's.
            for ordinal in range(first, first + len(files)):
                artifacts.destroy(artifacts.record_uri(space.public_id, ordinal))
            raise
        return len(rows)

    def _keep_conflicts(self, space: OrdinalSpace, rows: list[_Owned], first: int) -> None:
        if self.search is None:
            return
        placed = self.search.placed
        placed.update((owned.row.line, at) for at, owned in enumerate(rows, start=first))
        self.held = keep_conflicts(
            space=space, conflicts=self.conflicts, placed=placed, now=self.now
        )

    def _living(self, rows: list[_Owned]) -> list[_Owned]:
        """Lock the people, so that none is erased before their records are stored."""
        living = living_people(owned.identity[0] for owned in rows)
        for owned in rows:
            if owned.identity[0] not in living:
                self._reject(owned.row, ERASED)
        return [owned for owned in rows if owned.identity[0] in living]

    def _insert_locations(self, rows: list[_Owned], first: int) -> None:
        add_locations(
            self.space_id,
            (
                (ordinal, owned.row.location)
                for ordinal, owned in enumerate(rows, start=first)
                if owned.row.location
            ),
        )

    def _locate(self) -> int:
        """Keep where known records lie as well; return how many of the places are new."""
        if not self.located:
            return 0
        lock_space(self.space_id)  # a record that is erased meanwhile is not found any more
        found = known_records(self.space_id, {identity for identity, _ in self.located})
        return add_more_locations(
            self.space_id,
            [(found[identity], place) for identity, place in self.located if identity in found],
        )

    def _insert_contents(self, rows: list[_Owned], placed: list[StoredFile], first: int) -> None:
        if not placed:
            return
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
