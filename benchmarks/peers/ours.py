"""Expunge itself: its services write the graph, its quickest question names the versions."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pyroaring import BitMap

from benchmarks.installation import database_bytes, prepared
from benchmarks.peers.driver import measured
from benchmarks.timing import repeated


def run(path: str) -> dict[str, Any]:
    """Measure in the database that is configured in this process."""
    prepared()
    system = Expunge()
    found = measured(system, path)
    return {**found, "with_paths_p50_ms": system.with_paths(path)}


class Expunge:
    """An installation with one data set."""

    version = "this one"

    def register(self, graph: dict[str, Any]) -> None:
        """Hand out the ordinals."""
        from lineage.models import OrdinalSpace  # noqa: PLC0415  (Django is set up now)
        from lineage.services.importing import ensure_dataset  # noqa: PLC0415

        for name, count in (("peers", graph["records"]), ("synthetic", len(graph["runs"]))):
            space = ensure_dataset(name=name).space_id
            OrdinalSpace.objects.filter(id=space).update(next_ordinal=count)
        self._dataset, self._synthetic = (
            ensure_dataset(name=name) for name in ("peers", "synthetic")
        )

    def fill(self, graph: dict[str, Any]) -> None:
        """Take the snapshots, record the runs, build the tiles."""
        from django.utils import timezone  # noqa: PLC0415

        from lineage.queries.nodes import nodes_of  # noqa: PLC0415
        from lineage.services.snapshots import take_snapshot  # noqa: PLC0415
        from lineage.services.tiles import build_group  # noqa: PLC0415

        self._now = timezone.now()
        snapshots = [
            take_snapshot(dataset=self._dataset, ordinals=BitMap(members), now=self._now)
            for members in graph["snapshots"]
        ]
        self._versions: list[Any] = []
        for number, reads in enumerate(graph["runs"]):
            sources = []
            if reads["snapshot"] is not None:
                sources.append((snapshots[reads["snapshot"]], "TRAINING"))
            if reads["base"] is not None:
                sources.append((self._versions[reads["base"]], "BASE_MODEL"))
            if reads["teacher"] is not None:
                sources.append((self._distilled(reads["teacher"], number), "TRAINING"))
            self._versions.append(self._trained(sources))
        build_group(space=self._dataset.space, group=0, now=self._now)
        numbers = {made.id: number for number, made in enumerate(self._versions)}
        self._nodes = {node: numbers[pk] for pk, node in nodes_of(numbers).items()}

    def _trained(self, sources: list[tuple[Any, str]]) -> Any:  # noqa: ANN401  (a ModelVersion)
        from lineage.services.runs import RunResult, begin_run, finish_run  # noqa: PLC0415

        begun = begin_run(plan=_plan("TRAIN", sources), now=self._now)
        return finish_run(
            run=begun, result=RunResult(model_name="model", weights=b""), now=self._now
        )

    def _distilled(self, teacher: int, number: int) -> Any:  # noqa: ANN401  (a DatasetSnapshot)
        from lineage.services.runs import begin_run, finish_derivation  # noqa: PLC0415

        sources = [(self._versions[teacher], "GENERATOR")]
        begun = begin_run(plan=_plan("SYNTHESISE", sources), now=self._now)
        return finish_derivation(
            run=begun, dataset=self._synthetic, ordinals=BitMap([number]), now=self._now
        )

    def size(self) -> int:
        """Return the bytes of the database."""
        return database_bytes()

    def ask(self, records: list[int]) -> list[int]:
        """Return the versions that the records act on; as with the others, no more than that."""
        from lineage.queries.reach import reached  # noqa: PLC0415

        acting = reached(self._dataset.space, BitMap(records)).acting
        return [self._nodes[node] for node, hits in acting.items() if hits and node in self._nodes]

    def with_paths(self, path: str) -> dict[str, float]:
        """Time the same with each version's name, records and shortest way."""
        from lineage.queries.closure import affected  # noqa: PLC0415

        questions = json.loads(Path(path).read_text(encoding="utf-8"))["questions"]
        return {
            name: repeated(
                lambda asked=lists[0]: BitMap(asked),  # type: ignore[misc]
                lambda asked: affected(self._dataset.space, asked),
                10,
            )["p50_ms"]
            for name, lists in questions.items()
        }


def _plan(activity: str, sources: list[tuple[Any, str]]) -> Any:  # noqa: ANN401  (a RunPlan)
    from lineage.services.runs import Input, RunPlan  # noqa: PLC0415

    inputs = tuple(Input(source=source, role=role) for source, role in sources)
    return RunPlan(activity=activity, inputs=inputs)
