"""A base that is trained, and a run of unlearning that is queued."""

from __future__ import annotations

import pytest

from tests.audits.world import ADA, BERT, CLEO, NOW
from tests.unlearning.execution.jobs import claimed
from unlearning.services import runs


@pytest.fixture
def base(world):
    return world.train("base", world.snapshot(ADA, BERT, CLEO))


@pytest.fixture
def queue(world, base):
    """Queue a run on the base and claim its job."""

    def one(method="retrain", **fields: object):
        given: dict[str, object] = {
            "target": base,
            "space": world.dataset.space,
            "forget": world.owned(ADA),
            "method": method,
            "hyperparameters": {},
            "seed": 11,
            "waiting": False,
            "now": NOW,
        }
        run = runs.queue_run(**given | fields)  # type: ignore[arg-type]  # as given
        return run, claimed("UNLEARN", run.pk)

    return one
