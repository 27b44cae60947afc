"""The graph that every system enters: made from a fixed seed, with its right answers."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

SEED = 20_260_801
SHARED, OWN = 10, 5  # records in a shard: of a base that all share, and of one person
TUNED, DISTILLED, RETRAINED = 0.4, 0.1, 0.2  # shares of the runs


@dataclass(frozen=True, kw_only=True)
class Size:
    """How much of everything."""

    records: int = 20_000
    snapshots: int = 100
    runs: int = 300
    chain: int = 150
    subject: int = 300
    asked: int = 20

    @classmethod
    def tenth(cls) -> Size:
        """Return a size for trying; the chain and the person stay, since they find the faults."""
        return cls(records=3_000, snapshots=20, runs=60, asked=10)


def made(size: Size) -> dict[str, Any]:
    """Return records, snapshots, runs, questions and the right answers, as JSON can hold them.

    Run number n writes version n and reads what it names: a ``snapshot``, a ``base`` version that
    it is tuned from, or a ``teacher`` whose synthetic data it is distilled from. Runs of one
    ``job`` are trainings of the same thing again.
    """
    drawn = random.Random(SEED)  # noqa: S311  (a benchmark)
    person = range(size.records - size.subject, size.records)
    middle = range(SHARED, person.start - 1)
    snapshots = [sorted(drawn.sample(middle, len(middle) // 20)) for _ in range(size.snapshots)]
    runs = _shards(snapshots, person)
    _trainings(runs, drawn, size)
    chained = person.start - 1  # a record that only the chain was trained on
    snapshots.append([chained])
    _chain(runs, len(snapshots) - 1, size.chain)
    graph: dict[str, Any] = {"records": size.records, "snapshots": snapshots, "runs": runs}
    graph["edges"] = sum(map(len, snapshots)) + sum(map(_reads, runs))
    graph["questions"] = {
        "one_record": [[one] for one in drawn.sample(middle, size.asked)],
        "chain_record": [[chained]],
        "own_record": [[one] for one in drawn.sample(person, 5)],
        "subject": [list(person)],
    }
    graph["truth"] = {
        name: [right(graph, asked) for asked in lists]
        for name, lists in graph["questions"].items()
    }
    return graph


def right(graph: dict[str, Any], asked: list[int]) -> list[int]:
    """Return the versions that some records act on: sources come before what reads them."""
    wanted = set(asked)
    holding = [not wanted.isdisjoint(members) for members in graph["snapshots"]]
    touched: set[int] = set()
    for number, run in enumerate(graph["runs"]):
        if (
            (run["snapshot"] is not None and holding[run["snapshot"]])
            or run["base"] in touched
            or run["teacher"] in touched
        ):
            touched.add(number)
    return sorted(touched)


def scored(answers: list[list[int]], truth: list[list[int]]) -> dict[str, float]:
    """Return recall and precision over all answers to one kind of question."""
    pairs = list(zip(map(set, answers), map(set, truth), strict=True))
    both = sum(len(found & wanted) for found, wanted in pairs)
    told, wanted = (sum(len(pair[at]) for pair in pairs) for at in (0, 1))
    return {
        "recall": round(both / wanted, 4) if wanted else 1.0,
        "precision": round(both / told, 4) if told else 1.0,
    }


def _run(job: int, **reads: int) -> dict[str, int | None]:
    return {"job": job, "snapshot": None, "base": None, "teacher": None, **reads}


def _shards(snapshots: list[list[int]], person: range) -> list[dict[str, int | None]]:
    """Add snapshots of a shared base and a few records of one person; one run reads each."""
    runs: list[dict[str, int | None]] = []
    for start in range(person.start, person.stop, OWN):
        snapshots.append([*range(SHARED), *range(start, min(start + OWN, person.stop))])
        runs.append(_run(len(runs), snapshot=len(snapshots) - 1))
    return runs


def _trainings(runs: list[dict[str, int | None]], drawn: random.Random, size: Size) -> None:
    again: list[int] = []  # jobs that train on data alone
    for _ in range(size.runs):
        number, kind = len(runs), drawn.random()
        if kind < DISTILLED:
            runs.append(_run(number, teacher=drawn.randrange(number)))
            continue
        snapshot = drawn.randrange(size.snapshots)
        if kind < DISTILLED + TUNED:
            runs.append(_run(number, snapshot=snapshot, base=drawn.randrange(number)))
        elif again and drawn.random() < RETRAINED:
            runs.append(_run(drawn.choice(again), snapshot=snapshot))
        else:
            again.append(number)
            runs.append(_run(number, snapshot=snapshot))


def _chain(runs: list[dict[str, int | None]], snapshot: int, length: int) -> None:
    """Add a model that is tuned again and again, from data that nothing else read."""
    runs.append(_run(len(runs), snapshot=snapshot))
    for _ in range(length - 1):
        runs.append(_run(len(runs), base=len(runs) - 1))


def _reads(run: dict[str, int | None]) -> int:
    """Count what a run reads; a teacher first writes the data that is read."""
    return sum(run[name] is not None for name in ("snapshot", "base")) + (
        2 if run["teacher"] is not None else 0
    )
