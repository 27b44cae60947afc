"""A recorded training that can be gone through again without some of its records."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from unlearning.core.replay.engine import Trainer, model_at
from unlearning.core.replay.pinned import Pinned

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyroaring import BitMap
    from torch import nn

    from unlearning.core.examples import Examples
    from unlearning.core.recipe import Recipe
    from unlearning.core.replay.engine import Replayed
    from unlearning.core.replay.recording import Recording
    from unlearning.core.replay.store import Store
    from unlearning.core.session import Session


class NumbersUnclear(ValueError):
    """It cannot be said which number each record had when training began."""


@dataclass(frozen=True, kw_only=True)
class Rewind:
    """A recording, where it lies, and the numbers that are to be holes in it.

    ``run`` names the replay; its states and log are written to ``store`` every ``every`` steps.
    """

    origin: Recording
    store: Store
    secret: bytes
    run: str
    holes: frozenset[int]
    every: int | None = None

    def replay(self, retain: Examples, recipe: Recipe, session: Session) -> Replayed:
        """Train again from the newest clean state, on the retain set in its first order.

        The seed is that of the recording, whatever that of the session.

        Raises:
            WrongSize: the retain set is not as many as the numbers that are no holes.
            OtherTraining, HolesShrank: the recording is of something else.
            NotStored, StateUnreadable: a state that it needs is gone or altered.
        """
        return self._trainer(recipe, session).replay(self.run, self.origin, self.source(retain))

    def carry_out(
        self, _model: nn.Module, retain: Examples, recipe: Recipe, session: Session
    ) -> tuple[nn.Module, str]:
        """Replay in place of a model; return what came out, and what was done. Raises as above."""
        replayed = self.replay(retain, recipe, session)
        steps = replayed.recording.steps_before(len(replayed.recording.segments))
        return replayed.model, (
            f"replayed steps {replayed.execution.first} to {steps} with "
            f"{len(replayed.recording.holes)} empty places"
        )

    def rolled_back(self, retain: Examples, recipe: Recipe, session: Session) -> nn.Module | None:
        """Return the model of the newest clean state, without training; None if there is none.

        It has the weights that the steps were moving, not an average that a recipe makes of them.
        """
        clean = self._trainer(recipe, session).clean(self.origin, self.source(retain))
        return model_at(recipe, self.store, clean.states[-1]) if clean.states else None

    def source(self, retain: Examples) -> Pinned:
        """Return the retain set, which is in its first order, with its holes."""
        return Pinned(retain, size=self.origin.size, holes=self.holes)

    def _trainer(self, recipe: Recipe, session: Session) -> Trainer:
        return Trainer(
            recipe=recipe,
            session=replace(session, seed=self.origin.seed),
            store=self.store,
            secret=self.secret,
            content=self.origin.content,
            every=self.every,
        )


def holes_in(origin: Recording, learned: Sequence[int], retained: BitMap) -> frozenset[int]:
    """Return the numbers that a replay leaves empty.

    Args:
        origin: numbers its records from 0; those that were holes in it stay so.
        learned: the records that it was trained on, in the order of their numbers.
        retained: those of them that are kept.

    Raises:
        NumbersUnclear: the recording has not as many records as ``learned``.
    """
    before = set(origin.holes)
    numbers = [number for number in range(origin.size) if number not in before]
    if len(numbers) != len(learned):
        raise NumbersUnclear(
            f"The run {origin.run} was recorded with {len(numbers)} records, and {len(learned)} "
            f"are known to have been in it; train it again from the start."
        )
    gone = {
        number for number, record in zip(numbers, learned, strict=True) if record not in retained
    }
    return frozenset(before | gone)
