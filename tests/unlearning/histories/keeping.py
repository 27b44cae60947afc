"""What is kept of a training."""

from __future__ import annotations

from tests.audits.world import ADA, BERT, CLEO, SMALL
from unlearning.execution.histories import recording_of
from unlearning.queries import histories as kept

STEPS = {**SMALL, "batch_size": 4}


def trained(world, name, *people: str):
    return world.train(
        name, world.snapshot(*(people or (ADA, BERT, CLEO))), recipe_parameters=STEPS
    )


def told(version):
    found = recording_of(kept.account_of(version))
    assert found is not None
    return found
