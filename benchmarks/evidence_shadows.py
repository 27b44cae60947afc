"""How fast shadow models are trained: in two processes beside one, and stacked beside not."""

from __future__ import annotations

import multiprocessing
import os
import statistics
import time
from typing import TYPE_CHECKING, Any

import torch

from audits.core.design import TwinDesign
from audits.core.shadow_pool import part_of, pooled
from audits.core.shadows import train_shadow
from benchmarks.evidence_sets import CANARIES, Nothing, digit_sets
from unlearning.core.session import Session
from unlearning.core.stacked import train_stacked

if TYPE_CHECKING:
    from collections.abc import Sequence
    from multiprocessing.connection import Connection

    from unlearning.core.recipe import Recipe

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def two_processes(recipe: Recipe, retain: int, models: int, repeats: int) -> dict[str, Any]:
    """Train shadow models in one process and, next, half of them in each of two.

    Each process has one thread, is started before the clock, and trains as the platform does
    where it does not stack: train, score, (do not) unlearn, score. The ratio is the median over
    pairs that follow one another.
    """
    with _Workers(recipe, retain, 2) as workers:
        workers.train([[0], [1]])
        half = models // 2
        pairs = []
        for _ in range(repeats):
            alone = workers.train([list(range(models))])
            both = workers.train([list(range(half)), list(range(half, models))])
            pairs.append((alone, both))
    return {
        "models": models,
        "retained_records": retain,
        "recipe": recipe.describe(),
        "repeats": repeats,
        "one_process_seconds": round(statistics.median(one for one, _ in pairs), 3),
        "two_processes_seconds": round(statistics.median(two for _, two in pairs), 3),
        "speedup": round(statistics.median(one / two for one, two in pairs), 3),
        "speedups": [round(one / two, 3) for one, two in pairs],
    }


class _Workers:
    """Processes of one thread each that train shadow models when they are told to."""

    def __init__(self, recipe: Recipe, retain: int, number: int) -> None:
        self._started = []
        context = multiprocessing.get_context("spawn")
        before = {name: os.environ.get(name) for name in THREADS}
        os.environ.update(dict.fromkeys(THREADS, "1"))
        for _ in range(number):
            ours, theirs = context.Pipe()
            process = context.Process(target=_serve, args=(theirs, recipe, retain), daemon=True)
            process.start()
            self._started.append((process, ours))
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})

    def __enter__(self) -> _Workers:
        for _, pipe in self._started:
            pipe.recv()
        return self

    def __exit__(self, *_: object) -> None:
        for process, pipe in self._started:
            pipe.send([])
            process.join()

    def train(self, shares: Sequence[list[int]]) -> float:
        """Return the seconds until the last process has trained its share."""
        pipes = [pipe for _, pipe in self._started[: len(shares)]]
        started = time.perf_counter()
        for pipe, share in zip(pipes, shares, strict=True):
            pipe.send(share)
        for pipe in pipes:
            pipe.recv()
        return time.perf_counter() - started


def _serve(pipe: Connection, recipe: Recipe, retain: int) -> None:
    torch.set_num_threads(1)
    sets, procedure = digit_sets(retain), Nothing(recipe=recipe)
    pipe.send("ready")
    while share := pipe.recv():
        design = TwinDesign(seed=1, looks=(max(share) + 1,), canaries=CANARIES)
        for number in share:
            train_shadow(number, design, procedure, sets)
        pipe.send("done")


def stacked(
    recipe: Recipe, retain: int, sizes: Sequence[int], sequential: int, repeats: int
) -> dict[str, Any]:
    """Train stacks of several sizes, and ``sequential`` models one after the other, in turn.

    Everything counts that a chunk of shadow models needs to be trained: making the models,
    bringing the records into place, every step. What was trained is not scored or unlearned.
    """
    sets = digit_sets(retain)
    design = TwinDesign(seed=1, looks=(max(sizes),), canaries=CANARIES)
    pool = pooled(sets)
    parts = [part_of(number, design, sets) for number in range(max(sizes))]
    rates: dict[int, list[float]] = {size: [] for size in (0, *sizes)}
    for _ in range(repeats):
        started = time.perf_counter()
        for part in parts[:sequential]:
            recipe.train(torch.utils.data.Subset(pool, part.records), Session(seed=part.seed))
        rates[0].append(sequential / (time.perf_counter() - started))
        for size in sizes:
            started = time.perf_counter()
            train_stacked(recipe, pool, parts[:size], Session())
            rates[size].append(size / (time.perf_counter() - started))
    alone = rates.pop(0)
    return {
        "retained_records": retain,
        "recipe": recipe.describe(),
        "repeats": repeats,
        "models_one_after_the_other": sequential,
        "models_per_second_one_after_the_other": round(statistics.median(alone), 3),
        "models_per_second": {
            str(size): round(statistics.median(each), 3) for size, each in rates.items()
        },
        "speedup": {
            str(size): round(
                statistics.median(one / two for one, two in zip(each, alone, strict=True)), 2
            )
            for size, each in rates.items()
        },
    }
