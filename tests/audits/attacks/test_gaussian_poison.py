from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import stats
from torch import nn

from audits.attacks.gaussian_poison import GaussianPoison
from audits.core.attack import NothingToAttackWith, PlantedScores
from audits.core.canaries import alignments
from unlearning.core.canaries import coins, new_seed, plant

FEATURES, CLASSES, CANARIES = 40, 3, 30


def canaries(seed=0):
    generator = torch.Generator().manual_seed(seed)
    inputs = torch.randn(CANARIES, FEATURES, generator=generator)
    return inputs, torch.randint(0, CLASSES, (CANARIES,), generator=generator)


def network(seed=0):
    with torch.random.fork_rng():
        torch.default_generator.manual_seed(seed)
        return nn.Sequential(nn.Linear(FEATURES, 32), nn.Tanh(), nn.Linear(32, CLASSES))


def trained(inputs, labels, steps=60):
    model = network()
    for _ in range(steps):
        model.zero_grad()
        nn.functional.cross_entropy(model(inputs), labels).backward()
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.sub_(0.5 * parameter.grad)
    return model


def test_a_model_that_never_saw_the_noise_gives_exact_p_values():
    inputs, labels = canaries()
    model = trained(inputs, labels)  # the same records, and never their noise
    scores = np.array([alignments(model, inputs, labels, seed) for seed in range(300)])
    assert stats.kstest(scores.ravel(), "norm").pvalue > 0.01
    found = [GaussianPoison().examine(PlantedScores(after=one)) for one in scores]
    assert stats.kstest([one.statistic for one in found], "norm").pvalue > 0.01
    assert stats.kstest([one.p_value for one in found], "uniform").pvalue > 0.01


def test_a_model_that_learned_the_noise_is_caught_and_its_retrained_copy_is_not():
    inputs, labels = canaries()
    poisoned = plant(inputs, seed=8, size=1.0)
    before = alignments(trained(poisoned, labels), inputs, labels, 8)
    after = alignments(trained(inputs, labels), inputs, labels, 8)
    found = GaussianPoison().examine(PlantedScores(after=after, before=before))
    assert found.control is not None
    assert found.control < 1e-6
    assert found.p_value > 0.01
    kept = GaussianPoison().examine(PlantedScores(after=before))
    assert kept.p_value == found.control
    assert kept.statistic > 5
    assert kept.canaries == CANARIES


def test_leaning_away_from_the_noise_is_a_trace_too():
    scores = np.full(16, 1.5)
    toward, away = (GaussianPoison().examine(PlantedScores(after=s)) for s in (scores, -scores))
    assert toward.statistic == -away.statistic == 6.0
    assert toward.p_value == away.p_value < 1e-8


def test_the_score_is_minus_the_product_with_the_gradient_of_the_loss():
    inputs, labels = canaries(3)
    model = network(3).double()
    inputs = inputs.double().requires_grad_()
    nn.functional.cross_entropy(model(inputs), labels, reduction="sum").backward()
    assert inputs.grad is not None
    slopes = inputs.grad / inputs.grad.norm(dim=1, keepdim=True)
    clean = inputs.detach()
    noise = (plant(clean, 11, size=0.25) - clean) / 0.25
    expected = -(noise * slopes).sum(1).numpy()
    assert alignments(model, clean, labels, 11, batch_size=7) == pytest.approx(expected)


def test_a_sure_model_still_has_a_direction_where_its_loss_has_none():
    inputs, labels = canaries(1)
    sure = nn.Sequential(network(1), Scaled())
    labels = sure(inputs).argmax(1)
    probed = inputs.clone().requires_grad_()
    nn.functional.cross_entropy(sure(probed), labels, reduction="sum").backward()
    assert probed.grad is not None
    assert (probed.grad.norm(dim=1) == 0).any()
    assert np.isfinite(alignments(sure, inputs, labels, 5)).all()


class Scaled(nn.Module):
    def forward(self, logits):
        return logits * 1e4


def test_canaries_at_which_a_model_is_flat_are_left_out():
    inputs, labels = canaries()
    flat = nn.Linear(FEATURES, CLASSES)
    nn.init.zeros_(flat.weight)
    scores = alignments(flat, inputs, labels, 5)
    assert np.isnan(scores).all()
    with pytest.raises(NothingToAttackWith, match=r"needs a canary that has a gradient\."):
        GaussianPoison().examine(PlantedScores(after=scores))
    scores[:4] = 1.0
    found = GaussianPoison().examine(PlantedScores(after=scores))
    assert (found.canaries, found.statistic) == (4, 2.0)


def test_measuring_leaves_the_model_as_it_was():
    inputs, labels = canaries()
    model = network().train()
    state = torch.get_rng_state()
    alignments(model, inputs, labels, 5)
    assert model.training
    assert all(parameter.grad is None for parameter in model.parameters())
    assert (torch.get_rng_state() == state).all()


def test_the_seed_alone_gives_the_noise_and_the_coins_again():
    inputs, _ = canaries()
    seed = new_seed()
    assert seed != new_seed()
    poisoned = plant(inputs, seed, size=0.1)
    assert poisoned.dtype == inputs.dtype
    assert (poisoned == plant(inputs, seed, size=0.1)).all()
    assert (poisoned != plant(inputs, seed + 1, size=0.1)).any()
    assert float((poisoned - inputs).std()) == pytest.approx(0.1, rel=0.1)
    assert (coins(100, seed) == coins(100, seed)).all()
    assert 400 < coins(1000, 3).sum() < 600
    with pytest.raises(ValueError, match="size is 0"):
        plant(inputs, seed, size=0)
