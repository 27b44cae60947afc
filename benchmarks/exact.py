"""``python benchmarks/exact.py --json``: what exact unlearning costs, beside a full retraining.

Costs are in sample visits, the records that pass through a model, with wall times beside them.
Ten shards of five slices, one thread. ``--data-root`` names a folder of CIFAR-10 as images
(train/<class>/*, test/<class>/*); without it, digits alone. ``--quick`` is smaller throughout.
"""

from __future__ import annotations

import statistics
import sys
import time
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping, Sequence

if __package__ in {None, ""}:  # run as a file
    sys.path[0] = str(Path(__file__).resolve().parents[1])

import torch

from benchmarks import exact_matrix, exact_simulation
from benchmarks.command import run
from benchmarks.exact_overhead import REPEATS, overhead, small_network
from benchmarks.exact_problems import Problem, cifar_problem, digits_problem
from benchmarks.exact_shards import Sharded, costs, grid, rollback
from unlearning.core.session import Session

SHARDS, SLICES = 10, 5
GRIDS = {
    "digits": [(shards, slices) for shards in (5, 10, 20) for slices in (1, 5, 10)],
    "cifar10": [(5, 1), (5, 5)],
}
QUICK_GRIDS = {"digits": [(5, 1), (5, 5), (10, 1)]}
TARGETS = {
    "fraction_of_retrain_10": 0.10,
    "gain_vs_random_placement": 6.0,
    "replay_overhead_percent": 5.0,
    "planner_error_percent": 10.0,
}


def measure(
    *, quick: bool = False, data_root: Path | None = None, threads: int = 1
) -> dict[str, Any]:
    """Return everything that is measured; what comes first is of the digits.

    ``replay_overhead_percent`` is of the part of CIFAR-10 where that is there; the key beside it
    says so.
    """
    torch.set_num_threads(threads)
    small = digits_problem(quick=quick)
    problems = [small]
    recorded = small_network(quick=quick)
    if data_root is not None:
        images = cifar_problem(data_root, quick=quick)
        problems, recorded = [small, images], images
    sizes = Sizes.quick() if quick else Sizes()
    return report(problems, recorded, sizes) | {"simulation": exact_simulation.rows(quick=quick)}


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """How much is measured: digits of the matrix, grids by problem, seeds, and repeats."""

    matrix: int = 1400
    grids: Mapping[str, Sequence[tuple[int, int]]] = field(default_factory=lambda: GRIDS)
    seeds: int = 3
    repeats: int = REPEATS
    shards: int = SHARDS
    slices: int = SLICES

    @classmethod
    def quick(cls) -> Sizes:
        """Return what is done in less than a minute."""
        return cls(matrix=300, grids=QUICK_GRIDS, seeds=1)


def report(problems: Sequence[Problem], recorded: Problem, sizes: Sizes) -> dict[str, Any]:
    """Measure some problems, the first of which gives the figures that are told first."""
    _say("bits of five pairs")
    matrix = exact_matrix.rows(sizes.matrix)
    _say(f"overhead on {recorded.name}")
    spent = overhead(recorded, sizes.repeats)
    found = {problem.name: of_problem(problem, sizes) for problem in problems}
    first = found[problems[0].name]
    by_size = first["subjects"]
    return {
        "bit_exact": all(row["bit_exact"] for row in matrix),
        "fraction_of_retrain": {size: row["fraction"] for size, row in by_size.items()},
        "gain_vs_random_placement": by_size["10"]["gain_vs_random_placement"],
        "replay_overhead_percent": spent["overhead_percent"],
        "replay_overhead_on": spent["on"],
        "planner_error_percent": max(
            row["planner_error_percent"]
            for one in found.values()
            for row in one["subjects"].values()
        ),
        "accuracy_price_points": first["accuracy_price_points"],
        "targets": TARGETS,
        "threads": torch.get_num_threads(),
        "matrix": matrix,
        "overhead": spent,
        "problems": found,
    }


def of_problem(problem: Problem, sizes: Sizes) -> dict[str, Any]:
    """Return what erasures cost on a problem, in shards and beside a retraining."""
    _say(f"erasures on {problem.name}")
    whole, retrained = _retrained(problem, sizes.seeds)
    cut = partial(Sharded, problem=problem, shards=sizes.shards, slices=sizes.slices)
    every = [cut(seed=seed) for seed in range(sizes.seeds)]
    sharded = statistics.fmean(each.accuracy for each in every)
    return {
        "recipe": problem.recipe.describe(),
        "records": problem.size,
        "test_records": len(problem.test[1]),
        "shards": sizes.shards,
        "slices": sizes.slices,
        "seeds": sizes.seeds,
        "retrain_seconds": round(retrained, 3),
        "train_seconds": round(every[0].trained[1], 3),
        "accuracy": {"whole": round(whole, 4), "shards": round(sharded, 4)},
        "accuracy_price_points": round(100 * (whole - sharded), 2),
        "subjects": costs(every[0], cut(aware=False), retrained),
        "grid": grid(problem, sizes.grids.get(problem.name, ()), whole),
        "rollback": rollback(every[0], draws=3),
    }


def _retrained(problem: Problem, seeds: int) -> tuple[float, float]:
    """Return mean accuracy and median seconds of training on the whole without somebody."""
    source = problem.source(problem.people()[10][0])
    accuracies, seconds = [], []
    for seed in range(seeds):
        started = time.perf_counter()
        model = problem.recipe.train(source, Session(seed=seed))
        seconds.append(time.perf_counter() - started)
        accuracies.append(problem.accuracy(model))
    return statistics.fmean(accuracies), statistics.median(seconds)


def _say(what: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {what}", file=sys.stderr, flush=True)


def _more(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data-root", type=Path, help="CIFAR-10: train/<class>/*, test/<class>/*")
    parser.add_argument("--threads", type=int, default=1, help="of torch")


if __name__ == "__main__":
    run(measure, __doc__ or "", _more)
