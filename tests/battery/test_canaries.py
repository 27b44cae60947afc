"""What canaries do to the test of the model in use, which has none; trained here, not stored."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
import torch

from audits.core.design import CANARIES, canaries_for
from audits.core.likelihood import instance_test
from audits.core.policy import EvidencePolicy
from tests.battery.digits import shuffled
from tests.battery.procedures import TRAINING
from tests.battery.stacked import Stack, generator, margins, train

RETAINED, ASKED, MODELS = 256, 8, 32
POLICY = EvidencePolicy()


@cache
def scores(canaries: int, seed: int):
    """Margins of records that no model learned, [32, 8]; half of them learned each canary."""
    inputs, labels, *_ = shuffled()
    order = torch.as_tensor(np.random.default_rng(0).permutation(len(labels)))
    inputs, labels = inputs[order], labels[order]
    ends = (RETAINED, RETAINED + ASKED, RETAINED + ASKED + canaries)
    asked, planted = slice(*ends[:2]), torch.arange(*ends[1:])
    given = labels.clone()
    given[planted] = (labels[planted] + 1) % 10
    rng = np.random.default_rng(seed)
    halves = [rng.permutation(MODELS) < MODELS // 2 for _ in range(canaries)]
    who = np.array(halves, np.bool_).reshape(canaries, MODELS).T
    found = np.empty((MODELS, ASKED))
    for own in np.unique(who, axis=0):
        rows = np.flatnonzero((who == own).all(1))
        learned = torch.cat([torch.arange(RETAINED), planted[torch.as_tensor(own)]])
        draw = generator(seed, int(rows[0]))
        stack = train(
            Stack.fresh(len(rows), draw), inputs[learned], given[learned], TRAINING, draw
        )
        found[rows] = margins(stack(inputs[asked]), labels[asked]).numpy()
    return found


def rejected(canaries: int) -> float:
    """Return how often honest models stand out."""
    beside, served = scores(canaries, 1), scores(0, 2)
    p = [instance_test(beside, one).p_value for one in served]
    return float(np.mean(np.array(p) < POLICY.alpha_instance))


def test_01_the_canary_of_an_audit_makes_no_honest_model_stand_out(record_property):
    rate = rejected(canaries_for(POLICY.looks, compared=True))
    record_property(f"false_fail_rate.served, beside the canary@{MODELS}", rate)
    assert rate <= 0.1


@pytest.mark.slow
def test_01_many_canaries_would():
    """How much depends on the records: in this split of the digits half of the honest models."""
    assert rejected(CANARIES) >= 0.2
