"""A poison that staff ask to remove is gone after a replay, and not after training on."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch.utils.data import Subset, TensorDataset

from tests.unlearning.replay.pairs import PAIRS, records, trainer
from unlearning.core.context import Context
from unlearning.core.replay.pinned import Pinned
from unlearning.methods.finetune import Finetune

HONEST, POISON, GOAL = 90, 12, 0


def triggered(inputs: torch.Tensor) -> torch.Tensor:
    """The inputs with a bright corner, which no honest record has."""
    marked = inputs.clone()
    marked[:, :, 0, :2] = 6.0
    return marked


def with_backdoor() -> TensorDataset:
    inputs, labels = records(HONEST).tensors
    some = inputs[labels != GOAL][:POISON]
    return TensorDataset(
        torch.cat([inputs, triggered(some)]), torch.cat([labels, torch.full((POISON,), GOAL)])
    )


def obeys(model: torch.nn.Module) -> float:
    """How often a model answers what the attacker wants to inputs with the trigger."""
    inputs, labels = records(HONEST).tensors
    asked = triggered(inputs[labels != GOAL])
    return float((model.eval()(asked).argmax(1) == GOAL).float().mean())


def test_threat_14_a_backdoor_is_gone_after_a_replay_and_not_after_tuning_on_the_rest():
    recipe = replace(PAIRS[0], epochs=20)
    data = with_backdoor()
    bench = trainer(recipe, every=None)
    poisoned = bench.record("origin", Pinned(data, size=len(data)))
    assert obeys(poisoned.model) > 0.9
    kept = Subset(data, range(HONEST))
    holes = range(HONEST, len(data))
    tuned = Finetune(epochs=2).unlearn(
        poisoned.model, kept, Subset(data, holes), Context(recipe=recipe, seed=3)
    )
    assert obeys(tuned) > 0.5
    source = Pinned(kept, size=len(data), holes=holes)
    clean = bench.replay("after", poisoned.recording, source)
    assert obeys(clean.model) < 0.3
