"""What recording a training adds to it: the log, and states written to a disk."""

from __future__ import annotations

import statistics
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.exact_pairs import SECRET
from benchmarks.exact_problems import Problem
from benchmarks.unlearning_cells import CLASSES, coloured_digits
from unlearning.core.replay.engine import Trainer
from unlearning.core.replay.states import model_digest
from unlearning.core.replay.store import DirectoryStore
from unlearning.core.session import Session
from unlearning.recipes.small_images import SmallImages

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import nn

REPEATS = 5


def small_network(*, quick: bool) -> Problem:
    """Return the digits at 16 x 16 with a thin residual network, for where there are no images.

    At 8 x 8 a step takes a millisecond, and nobody unlearns such a network to save time.
    """
    train, test = coloured_digits(None)
    recipe = SmallImages(
        targets=CLASSES, size=16, width=8, flip=False, epochs=2 if quick else 5, batch_size=32
    )
    return Problem(
        name="digits at 16 x 16, thin residual network",
        recipe=recipe,
        train=train,
        test=test,
        leaving=1,
    )


@dataclass(frozen=True, kw_only=True)
class Taken:
    """One training: seconds by the clock, seconds of the processor, and what came out."""

    wall: float
    processor: float
    digest: str


def overhead(problem: Problem, repeats: int = REPEATS) -> dict[str, Any]:
    """Train with and without a recorder, which keeps a state an epoch, in turn.

    The figure is the median over pairs of one training each, run one after the other, as other
    load comes and goes. Seconds of the processor leave out what is waited for, as for the disk.
    """
    plain, recorded = [], []
    for number in range(repeats):
        if number % 2:
            plain.append(_timed(_plain, problem))
        recorded.append(_timed(_recorded, problem))
        if not number % 2:
            plain.append(_timed(_plain, problem))
    pairs = list(zip(plain, recorded, strict=True))
    wall = statistics.median(with_log.wall / without.wall for without, with_log in pairs)
    processor = statistics.median(one.processor / other.processor for other, one in pairs)
    return {
        "on": problem.name,
        "records": problem.size,
        "repeats": repeats,
        "plain_seconds": round(statistics.median(each.wall for each in plain), 3),
        "recorded_seconds": round(statistics.median(each.wall for each in recorded), 3),
        "overhead_percent": round(100 * (wall - 1), 2),
        "processor_overhead_percent": round(100 * (processor - 1), 2),
        "same_digest": len({each.digest for each in (*plain, *recorded)}) == 1,
    }


def _timed(train: Callable[[Problem], nn.Module], problem: Problem) -> Taken:
    started, used = time.perf_counter(), time.process_time()
    model = train(problem)
    wall, processor = time.perf_counter() - started, time.process_time() - used
    return Taken(wall=wall, processor=processor, digest=model_digest(model))


def _plain(problem: Problem) -> nn.Module:
    return problem.recipe.train(problem.source(), Session(seed=1))


def _recorded(problem: Problem) -> nn.Module:
    steps = problem.recipe.plan(problem.size, 1).epoch_steps(0)  # type: ignore[attr-defined]
    with tempfile.TemporaryDirectory() as folder:
        training = Trainer(
            recipe=problem.recipe,
            session=Session(seed=1),
            store=DirectoryStore(Path(folder)),
            secret=SECRET,
            content=problem.name,
            every=steps,
        )
        return training.record("run", problem.source()).model
