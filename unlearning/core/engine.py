"""Which way to train many models of one recipe is quicker here: stacked, or one after the other.

Both ways take some steps of the real training, on the real records; the quicker one is chosen.
The results must agree as well, since a way that is quick and different is another procedure.
"""

from __future__ import annotations

import statistics
import time
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import torch
from torch.utils.data import Subset

from unlearning.core.seeding import isolated
from unlearning.core.session import Unrecorded
from unlearning.core.stackable import NotStackable, check_room, check_stackable
from unlearning.core.stacked import Stack

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from torch import Tensor, nn

    from unlearning.core.examples import Examples, Held
    from unlearning.core.gradient_recipe import GradientRecipe
    from unlearning.core.phase import Phase
    from unlearning.core.recipe import Recipe
    from unlearning.core.session import Session
    from unlearning.core.stacked import Part

STEPS, WARM = 20, 3  # tried of each way, and of these not timed
LONGEST = 5.0  # seconds that a try of one model may take
GAIN = 1.2  # how many times as quick a stack must be
WORTHWHILE = 0.5  # seconds of training below which nothing is gained by trying
ABSOLUTE, RELATIVE = 1e-4, 1e-3  # by how much weights may differ after the tried steps


class Path(StrEnum):
    """How the models of an experiment are trained."""

    STACKED = "stacked"
    SEQUENTIAL = "sequential"


@dataclass(frozen=True, kw_only=True)
class Engine:
    """A way to train, and why this one.

    The seconds are those that all models together were expected to take in one process, each
    way; None where it was not tried.
    """

    path: Path
    reason: str
    sequential_seconds: float | None = None
    stacked_seconds: float | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return asdict(self) | {"path": self.path.value}


def trial_clock(device: torch.device) -> Callable[[], float]:
    """Return the clock of a trial: that of the processor where one thread does everything.

    It leaves out what other processes take, which would otherwise decide.
    """
    alone = device.type == "cpu" and torch.get_num_threads() == 1
    return time.process_time if alone else time.perf_counter


def choose_engine(
    recipe: Recipe, pool: Examples, parts: Sequence[Part], session: Session
) -> Engine:
    """Return the quicker way to train a model for each part, as ``train_stacked`` reads them.

    The clock is the session's. Training that is over in half a second is done one after the other.

    Raises:
        LossNotFinite: within the first steps.
        Cancelled: the caller asked to stop.
    """
    try:
        able = check_stackable(recipe, session)
        check_room(able, pool, len(parts), session)
    except NotStackable as reason:
        return _sequential(f"cannot be stacked, because {reason}")
    alone = _try_alone(recipe, pool, parts[0], session)
    steps = _steps(able, parts)
    one_by_one = sum(steps) * alone.pace
    if one_by_one < WORTHWHILE:
        return _sequential("takes so little time that nothing was compared", one_by_one)
    try:
        stacked = _try_stacked(able, pool, parts, session, len(alone.times))
    except (RuntimeError, NotStackable) as reason:  # what vmap says, or a device that is too small
        return _sequential(f"cannot be stacked: {_first_line(reason)}", one_by_one)
    together = max(steps) * stacked.pace + stacked.excess
    return _compared(alone, stacked, one_by_one, together)


def _compared(alone: _Try, stacked: _Try, one_by_one: float, together: float) -> Engine:
    if gap := _gap(alone.model, stacked.model):
        return _sequential(f"stacked would give other weights: {gap}", one_by_one, together)
    if together * GAIN > one_by_one:
        return _sequential("stacked would not be much quicker", one_by_one, together)
    return Engine(
        path=Path.STACKED,
        reason="stacked is quicker by trial",
        sequential_seconds=round(one_by_one, 3),
        stacked_seconds=round(together, 3),
    )


@dataclass(eq=False)
class _Try(Unrecorded):
    """Watches a training for some steps; ends it then by raising ``_Enough``."""

    clock: Callable[[], float]
    most: int
    times: list[float] = field(default_factory=list)
    model: nn.Module | None = None
    began: float = 0.0

    def begin(self, model: nn.Module, _examples: Held, _phase: Phase, /) -> int:
        """Start the clock."""
        self.model, self.began = model, self.clock()
        return 0

    def after(self, _step: int, _loss: float | None, /) -> None:
        """Note when a step was done.

        Raises:
            _Enough: it was the last one.
        """
        self.times.append(self.clock())
        if len(self.times) >= self.most or self.times[-1] - self.began > LONGEST:
            raise _Enough

    @property
    def pace(self) -> float:
        """Median seconds of a step, the first few left out if there are more."""
        each = [later - earlier for earlier, later in pairwise([self.began, *self.times])]
        return statistics.median(each[WARM:] or each)

    @property
    def excess(self) -> float:
        """Seconds that the first steps took longer than others."""
        first = self.times[: WARM or 1]
        return max(0.0, first[-1] - self.began - len(first) * self.pace)


class _Enough(Exception):
    """A try has taken its steps."""


def _try_alone(recipe: Recipe, pool: Examples, part: Part, session: Session) -> _Try:
    """Begin the training of one model."""
    watch = _Try(clock=session.clock, most=STEPS)
    with suppress(_Enough):
        recipe.train(Subset(pool, part.records), replace(session, seed=part.seed, recorder=watch))
    return watch


def _try_stacked(
    recipe: GradientRecipe, pool: Examples, parts: Sequence[Part], session: Session, most: int
) -> _Try:
    """Begin the training of all models."""
    watch = _Try(clock=session.clock, most=most)
    with isolated(session.seed, session.device):
        watch.began = session.clock()
        stack = Stack(recipe, pool, parts, session)
        for step in range(most):
            session.step("trial", step, most)
            stack.advance()
            watch.times.append(session.clock())
    watch.model = stack.models()[0]
    return watch


def _steps(recipe: GradientRecipe, parts: Sequence[Part]) -> list[int]:
    return [recipe.plan(len(part.records), part.seed).steps for part in parts]


def _gap(alone: nn.Module | None, stacked: nn.Module | None) -> str:
    """Return where two models differ by more than rounding, and by how much; or nothing."""
    assert alone is not None  # noqa: S101  (both were begun)
    assert stacked is not None  # noqa: S101
    mine, theirs = alone.state_dict(), stacked.state_dict()
    for name, tensor in mine.items():
        if not torch.allclose(tensor, theirs[name], rtol=RELATIVE, atol=ABSOLUTE):
            return f"{name} differs by {_most(tensor, theirs[name]):.2g}"
    return ""


def _most(one: Tensor, other: Tensor) -> float:
    return float((one - other).abs().max())


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]


def _sequential(
    reason: str, one_by_one: float | None = None, together: float | None = None
) -> Engine:
    return Engine(
        path=Path.SEQUENTIAL,
        reason=reason,
        sequential_seconds=None if one_by_one is None else round(one_by_one, 3),
        stacked_seconds=None if together is None else round(together, 3),
    )
