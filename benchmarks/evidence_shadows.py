"""How fast shadow models are trained: in two processes beside one, and stacked beside not."""

from __future__ import annotations

import multiprocessing
import os
import statistics
import time
from functools import partial
from typing import TYPE_CHECKING, Any

import torch
from torch.utils.data import Subset

from audits.core.design import TwinDesign
from audits.core.shadow_pool import part_of, pooled
from audits.core.shadows import train_shadow
from benchmarks.evidence_sets import CANARIES, Nothing, digit_sets
from benchmarks.timing import Taken, timed
from unlearning.core.session import Session
from unlearning.core.stacked import train_stacked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from multiprocessing.connection import Connection

    from unlearning.core.examples import Examples
    from unlearning.core.recipe import Recipe
    from unlearning.core.stacked import Part

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def two_processes(recipe: Recipe, retain: int, models: int, repeats: int) -> dict[str, Any]:
    """Train shadow models in one process and, next, half of them in each of two.

    Each process has one thread, is started before the clock, and trains as the platform does
    where it does not stack: train, score, (do not) unlearn, score. The ratio is the median over
    pairs that follow one another; beside it that of processor seconds, of the slower process
    where there are two: what it would be with two cores to themselves.
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
        "one_process_seconds": round(statistics.median(one.wall for one, _ in pairs), 3),
        "two_processes_seconds": round(statistics.median(two.wall for _, two in pairs), 3),
        "speedup": _median(one.wall / two.wall for one, two in pairs),
        "speedup_processor": _median(one.processor / two.processor for one, two in pairs),
        "speedups": [round(one.wall / two.wall, 3) for one, two in pairs],
    }


def _median(values: Iterable[float]) -> float:
    return round(statistics.median(values), 2)


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

    def train(self, shares: Sequence[list[int]]) -> Taken:
        """Return the seconds from the first start to the last end, and the slower's processor.

        The processes say themselves when they began and ended, by a clock that they share, so
        that waking them and hearing from them is left out.
        """
        pipes = [pipe for _, pipe in self._started[: len(shares)]]
        for pipe, share in zip(pipes, shares, strict=True):
            pipe.send(share)
        began, ended, used = zip(*(pipe.recv() for pipe in pipes), strict=True)
        return Taken(wall=max(ended) - min(began), processor=max(used))


def _serve(pipe: Connection, recipe: Recipe, retain: int) -> None:
    torch.set_num_threads(1)
    sets, procedure = digit_sets(retain), Nothing(recipe=recipe)
    pipe.send("ready")
    while share := pipe.recv():
        design = TwinDesign(seed=1, looks=(max(share) + 1,), canaries=CANARIES)
        began, used = time.perf_counter(), time.process_time()
        for number in share:
            train_shadow(number, design, procedure, sets)
        pipe.send((began, time.perf_counter(), time.process_time() - used))


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
    ways: dict[int, Callable[[], object]] = {
        0: partial(_one_by_one, recipe, pool, parts[:sequential])
    }
    for size in sizes:
        ways[size] = partial(train_stacked, recipe, pool, parts[:size], Session())
    taken: dict[int, list[Taken]] = {size: [] for size in ways}
    for _ in range(repeats):
        for size, way in ways.items():
            taken[size].append(timed(way))
    alone = taken.pop(0)
    rate = {size: _rate(size, each) for size, each in taken.items()}
    return {
        "retained_records": retain,
        "recipe": recipe.describe(),
        "repeats": repeats,
        "models_one_after_the_other": sequential,
        "models_per_second_one_after_the_other": _rate(sequential, alone),
        "models_per_second": {str(size): each for size, each in rate.items()},
        **{
            name: {
                str(size): _median(
                    (size / getattr(many, clock)) / (sequential / getattr(one, clock))
                    for many, one in zip(each, alone, strict=True)
                )
                for size, each in taken.items()
            }
            for name, clock in (("speedup", "wall"), ("speedup_processor", "processor"))
        },
    }


def _one_by_one(recipe: Recipe, pool: Examples, parts: Sequence[Part]) -> None:
    for part in parts:
        recipe.train(Subset(pool, part.records), Session(seed=part.seed))


def _rate(models: int, taken: Sequence[Taken]) -> float:
    return _median(models / each.wall for each in taken)
