"""What follows the steps of a training: logs them, keeps states, and takes up from one."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from unlearning.core.order import Plan
from unlearning.core.replay.log import Step
from unlearning.core.replay.pinned import Pinned
from unlearning.core.replay.recording import Segment
from unlearning.core.replay.states import State, model_digest

if TYPE_CHECKING:
    from collections.abc import Iterator

    import torch
    from torch import nn

    from unlearning.core.examples import Held
    from unlearning.core.phase import Phase
    from unlearning.core.replay.ledger import Ledger


class PhaseChanged(ValueError):
    """A phase is not set up as it was when the training was recorded."""


class Follower:
    """A recorder that writes to a ledger, and skips what the ledger has a state behind.

    A phase that lies wholly before the newest state is not gone through; the model is brought to
    the state at its end, so that what a recipe does between two phases sees what it saw.
    """

    def __init__(
        self, ledger: Ledger, source: Pinned, device: torch.device, *, every: int | None
    ) -> None:
        """Keep a state every ``every`` steps, at the milestones of a plan and at its end."""
        self._ledger, self._source, self._device, self._every = ledger, source, device, every
        self._number = -1
        self._kept_at = -1
        self.first: int | None = None

    def begin(self, model: nn.Module, examples: Held, phase: Phase, /) -> int:
        """Return the step to go on from; model and optimiser are in the state before it.

        Raises:
            PhaseChanged: the phase is not the one that was recorded.
        """
        self._number += 1
        self._model, self._phase, self._total = model, phase, phase.plan.steps
        self._confirm(self._described(examples))
        self._source.looked = False
        step = self._taken_up()
        self._kept_at = step
        self._rows = self._steps(examples, step)
        if step < self._total and self.first is None:
            self.first = self._ledger.recording.steps_before(self._number) + step
        return step

    def after(self, step: int, loss: float | None, /) -> None:
        """Log a step, and keep the state behind it if one is due."""
        entry = next(self._rows)
        self._ledger.add(
            Step(
                segment=self._number,
                step=step,
                epoch=entry[0],
                places=entry[1],
                numbers=entry[2],
                rate=float(self._phase.rate(step, self._total)),
                loss=loss,
            )
        )
        done = step + 1
        if (self._every and done % self._every == 0) or done in self._milestones:
            self._keep(done)

    def end(self) -> None:
        """Keep the last state of the phase."""
        if self._kept_at < self._total:
            self._keep(self._total)

    def _keep(self, step: int) -> None:
        at = self._number, step
        self._ledger.keep(State.of(self._model, self._phase, self._device, at))
        self._kept_at = step

    def _described(self, examples: Held) -> Segment:
        plan = self._phase.plan
        return Segment(
            name=self._phase.name,
            plan=plan,
            start=model_digest(self._model),
            settings=_settings(self._phase),
            fitted=self._source.looked,
            pinned=examples is self._source and type(plan) is Plan,
        )

    def _confirm(self, segment: Segment) -> None:
        """Hold the phase to what was recorded of it, or record it.

        Another model at its start is no error: then something before the first step was made
        from the data, and no state behind it can be used.
        """
        known = self._ledger.recording
        if self._number < len(known.segments):
            recorded = known.segments[self._number]
            if recorded.settings != segment.settings:
                raise PhaseChanged(
                    f"Phase {self._number} ({segment.name}) is not set up as it was when the "
                    f"training was recorded (it was {recorded.name} with {recorded.plan.steps} "
                    f"steps, and now has {segment.plan.steps}): the order, the optimiser or the "
                    f"batches are others."
                )
            if recorded.start == segment.start:
                return
            self._ledger.cut(sum(state.phase < self._number for state in known.states))
        self._ledger.open(segment)

    def _taken_up(self) -> int:
        states = self._ledger.recording.states
        behind = [each for each in states if each.phase == self._number]
        if not behind:
            return 0
        self._ledger.load(behind[-1]).put_into(self._model, self._phase, self._device)
        return behind[-1].step

    def _steps(
        self, examples: Held, first: int
    ) -> Iterator[tuple[int, tuple[int, int], list[int]]]:
        """Yield epoch, positions and record numbers of each step, as they are asked for."""
        plan = self._phase.plan
        self._milestones = frozenset(plan.milestones)
        holes = examples.holes if isinstance(examples, Pinned) else frozenset[int]()
        position = 0
        batches = plan.after(first)
        for epoch in range(plan.epochs):
            for step in range(plan.epoch_steps(epoch)):
                position += 1
                if position > first:
                    begin = step * plan.batch_size
                    end = min(begin + plan.batch_size, plan.reach(epoch))
                    numbers = next(batches)
                    left = [each for each in numbers if each not in holes] if holes else numbers
                    yield epoch, (begin, end), left


def _settings(phase: Phase) -> str:
    """Return the digest of what must be the same when a phase is gone through again."""
    plan, optimizer = phase.plan, phase.optimizer
    groups = [
        sorted((name, repr(value)) for name, value in group.items() if name != "params")
        for group in optimizer.param_groups
    ]
    parts = (
        phase.name, plan.size, plan.batch_size, plan.epochs, plan.seed, plan.stages,
        type(optimizer).__qualname__, groups, phase.training, sorted(phase.companions),
        [phase.rate(step, plan.steps) for step in range(0, plan.steps, max(1, plan.steps // 16))],
    )  # fmt: skip
    return hashlib.sha256(repr(parts).encode()).hexdigest()
