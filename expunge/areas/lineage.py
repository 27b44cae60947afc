"""Lineage: which versions there are, and which learned from whom."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from expunge.areas.asking import Area, given, part

if TYPE_CHECKING:
    from collections.abc import Iterator

    from expunge.answers import (
        Affected,
        Record,
        RecordFacts,
        Run,
        Snapshot,
        Source,
        Subject,
        Version,
        WholeRun,
        Why,
    )


class LineageCalls(Area):
    """The lineage graph of a platform."""

    def versions(self, *, model: str = "", state: str = "") -> Iterator[Version]:
        """Yield model versions, page by page, the newest first."""
        query = given(model=model, state=state)
        return cast("Iterator[Version]", self._calls.items("versions", **query))

    def version(self, version: str) -> Version:
        """Return a version by its identifier."""
        return cast("Version", self._calls.get(f"versions/{part(version)}"))

    def sources(self, version: str) -> list[Source]:
        """Return what a version learned from."""
        return cast("list[Source]", self._calls.listed(f"versions/{part(version)}/sources"))

    def why(self, version: str, *, record: str = "", subject: str = "") -> Why:
        """Say whether and how a version learned from a record or a person.

        Args:
            version: its identifier.
            record: SPACE:ORDINAL.
            subject: a pseudonym, as ``find_subject`` gives it; one of the two.
        """
        query = given(record=record, subject=subject)
        return cast("Why", self._calls.get(f"versions/{part(version)}/why", **query))

    def affected(self, *, record: str = "", subject: str = "") -> Affected:
        """Return every version that learned from a record or a person; never cut short."""
        query = given(record=record, subject=subject)
        return cast("Affected", self._calls.get("lineage/affected", **query))

    def find_subject(self, kind: str, value: str) -> Subject | None:
        """Return the person who has an identifier, by their pseudonym; None for nobody.

        The identifier travels in the body, and so stands in no address and no log.
        """
        found = self._calls.post("subjects/find", {"kind": kind, "value": value})
        return cast("Subject | None", found["subject"])

    def subject(self, subject: str) -> Subject:
        """Return what is held about a person, by their pseudonym."""
        return cast("Subject", self._calls.get(f"subjects/{part(subject)}"))

    def records_of(self, subject: str) -> Iterator[Record]:
        """Yield the records of a person, page by page."""
        return cast("Iterator[Record]", self._calls.items(f"subjects/{part(subject)}/records"))

    def records(self, space: str) -> Iterator[Record]:
        """Yield the records of a space, by its id or its name, page by page."""
        return cast("Iterator[Record]", self._calls.items("records", space=space))

    def record(self, record: str) -> RecordFacts:
        """Return how a record stands, by SPACE:ORDINAL."""
        return cast("RecordFacts", self._calls.get(f"records/{part(record)}"))

    def snapshots(self, *, dataset: str = "") -> Iterator[Snapshot]:
        """Yield the snapshots of all data sets or of one, page by page."""
        query = given(dataset=dataset)
        return cast("Iterator[Snapshot]", self._calls.items("snapshots", **query))

    def snapshot(self, snapshot: str) -> Snapshot:
        """Return a snapshot by its identifier."""
        return cast("Snapshot", self._calls.get(f"snapshots/{part(snapshot)}"))

    def runs(self, *, state: str = "") -> Iterator[Run]:
        """Yield the runs, page by page."""
        return cast("Iterator[Run]", self._calls.items("runs", **given(state=state)))

    def run(self, run: str) -> WholeRun:
        """Return a run by its identifier, with what it read and wrote."""
        return cast("WholeRun", self._calls.get(f"runs/{part(run)}"))
