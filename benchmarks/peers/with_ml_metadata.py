"""ML Metadata: every record, snapshot and version an artifact; its own downstream query."""

from __future__ import annotations

import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import Any

from ml_metadata.metadata_store import (  # type: ignore[import-not-found]
    metadata_store,
)
from ml_metadata.proto import (  # type: ignore[import-not-found]
    metadata_store_pb2 as pb,
)

from benchmarks.peers.driver import folder_bytes, main

_BATCH = 2_000
_HOPS = 100  # the most that the server takes


class MLMetadata:
    """A store in one SQLite file."""

    def __init__(self) -> None:
        self.version = version("ml-metadata")
        self._folder = tempfile.TemporaryDirectory()
        config = pb.ConnectionConfig()
        config.sqlite.filename_uri = str(Path(self._folder.name) / "store.db")
        config.sqlite.connection_mode = 3  # create it
        self._store = metadata_store.MetadataStore(config)
        self._types = {
            name: self._store.put_artifact_type(pb.ArtifactType(name=name))
            for name in ("Record", "Snapshot", "Synthetic", "Version")
        }
        self._step = self._store.put_execution_type(pb.ExecutionType(name="Step"))
        self._records: list[int] = []
        self._versions: list[int] = []

    def register(self, graph: dict[str, Any]) -> None:
        """Write an artifact for each record."""
        for start in range(0, graph["records"], _BATCH):
            count = min(_BATCH, graph["records"] - start)
            self._records += self._artifacts("Record", start, count)

    def fill(self, graph: dict[str, Any]) -> None:
        """Write what each step reads and writes."""
        snapshots = self._artifacts("Snapshot", 0, len(graph["snapshots"]))
        for snapshot, members in zip(snapshots, graph["snapshots"], strict=True):
            self._record([self._records[one] for one in members], snapshot)
        for number, run in enumerate(graph["runs"]):
            reads = [snapshots[run["snapshot"]]] if run["snapshot"] is not None else []
            if run["base"] is not None:
                reads.append(self._versions[run["base"]])
            if run["teacher"] is not None:
                reads += self._artifacts("Synthetic", number, 1)
                self._record([self._versions[run["teacher"]]], reads[0])
            self._versions += self._artifacts("Version", number, 1)
            self._record(reads, self._versions[-1])

    def _artifacts(self, kind: str, start: int, count: int) -> list[int]:
        made = [
            pb.Artifact(type_id=self._types[kind], uri=f"{kind}/{number}")
            for number in range(start, start + count)
        ]
        return list(self._store.put_artifacts(made))

    def _record(self, reads: list[int], writes: int) -> None:
        (step,) = self._store.put_executions([pb.Execution(type_id=self._step)])
        events = [
            pb.Event(artifact_id=one, execution_id=step, type=pb.Event.INPUT) for one in reads
        ]
        events.append(pb.Event(artifact_id=writes, execution_id=step, type=pb.Event.OUTPUT))
        for start in range(0, len(events), _BATCH):
            self._store.put_events(events[start : start + _BATCH])

    def size(self) -> int:
        """Return the bytes of the file."""
        return folder_bytes(Path(self._folder.name))

    def ask(self, records: list[int]) -> list[int]:
        """Return the versions in the subgraph below the records."""
        options = pb.LineageSubgraphQueryOptions()
        wanted = ",".join(str(self._records[one]) for one in records)
        options.starting_artifacts.filter_query = f"id IN ({wanted})"
        options.direction = pb.LineageSubgraphQueryOptions.DOWNSTREAM
        options.max_num_hops = _HOPS
        found = self._store.get_lineage_subgraph(options, ["artifacts"])
        numbers = {pk: number for number, pk in enumerate(self._versions)}
        return [numbers[one.id] for one in found.artifacts if one.id in numbers]


if __name__ == "__main__":
    main(MLMetadata)
