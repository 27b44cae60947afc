"""A private training clips each person, adds the noise that it says, and forgets its chance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.data import TensorDataset

from unlearning.core.private.descent import join_people
from unlearning.core.private.draws import Draws
from unlearning.core.private.terms import Privacy, PrivacyRefused
from unlearning.core.session import Session
from unlearning.recipes.digits import DigitsCNN, DigitsMLP
from unlearning.recipes.tabular import TabularMLP

SECRET = bytes(range(32))
SMALL = {"targets": ("0", "1", "2"), "hidden": 4, "epochs": 1, "momentum": 0.0}
LOUD = Privacy(clip=0.5, noise=3.0, delta=1e-6)
NEXT_TO_SILENT = Privacy(clip=0.05, noise=0.05, delta=1e-6)


def digits(records=24, seed=0):
    chance = torch.Generator().manual_seed(seed)
    return TensorDataset(
        torch.rand(records, 1, 8, 8, generator=chance),
        torch.randint(0, 3, (records,), generator=chance),
    )


def recipe(privacy, **fields: object):
    given: dict[str, Any] = {**SMALL, "privacy": privacy, **fields}
    return DigitsMLP(**given)


def session(people=None, secret=SECRET):
    return Session(seed=3, people=people, secret=secret)


def flat(model):
    return torch.cat([weight.detach().flatten() for weight in model.parameters()])


@dataclass(frozen=True, kw_only=True)
class Steady(DigitsMLP):
    """One step on everybody, the rate as it is."""

    def rate(self, step, total):
        return 1.0


def one_step(privacy, data, people, **fields: object):
    """What a single step over everybody moved, divided by the learning rate."""
    given: dict[str, Any] = {**SMALL, **fields}
    steady = Steady(**given, batch_size=len(data), learning_rate=1.0, privacy=privacy)
    with torch.random.fork_rng():
        torch.default_generator.manual_seed(3)
        before = steady.build()
    after = steady.train(data, session(people))
    return before, flat(before) - flat(after)


def slow_mean(model, data, people, clip):
    """Oracle: each person's mean gradient, shortened to the clip, one record at a time."""
    total = torch.zeros_like(flat(model))
    for person in sorted(set(people)):
        own = [place for place, owner in enumerate(people) if owner == person]
        mean = torch.zeros_like(total)
        for place in own:
            inputs, target = data[place]
            model.zero_grad()
            nn.functional.cross_entropy(model(inputs[None]), target[None]).backward()
            mean += torch.cat([weight.grad.flatten() for weight in model.parameters()]) / len(own)
        total += mean * min(1.0, clip / (float(mean.norm()) + 1e-6))
    return total / len(set(people))


def test_a_step_is_the_mean_of_what_each_person_adds_shortened_to_the_clip():
    data, people = digits(), [place // 3 for place in range(24)]
    model, moved = one_step(NEXT_TO_SILENT, data, people)
    oracle = slow_mean(model, data, people, 0.05)
    noise = 0.05 * 0.05 / 8
    assert float((moved - oracle).std()) == pytest.approx(noise, rel=0.2)
    assert float(oracle.norm()) > 20 * noise  # or the noise would hide a wrong oracle


def test_a_clip_that_nobody_reaches_leaves_plain_gradient_descent():
    data, people = digits(), list(range(24))
    wide = Privacy(clip=100.0, noise=0.05, delta=1e-6)
    model, moved = one_step(wide, data, people)
    inputs, targets = data.tensors
    model.zero_grad()
    nn.functional.cross_entropy(model(inputs), targets).backward()
    plain = torch.cat([weight.grad.flatten() for weight in model.parameters()])
    assert float((moved - plain).abs().max()) < 5 * 100.0 * 0.05 / 24


def test_the_noise_has_the_deviation_that_the_recipe_says():
    data, people = digits(), list(range(24))
    model, moved = one_step(LOUD, data, people, hidden=64)
    noise = (moved - slow_mean(model, data, people, 0.5)) * 24
    expected = 3.0 * 0.5
    assert len(noise) > 4000
    assert float(noise.std()) == pytest.approx(expected, rel=0.05)
    assert abs(float(noise.mean())) < 4 * expected / len(noise) ** 0.5
    within = float((noise.abs() < expected).double().mean())
    assert within == pytest.approx(0.6827, abs=0.03)  # as of a normal distribution


def test_nobody_drawn_is_a_step_of_noise_alone():
    weight: Any = nn.Parameter(torch.zeros(3, 2))
    weight.grad_sample = None
    join_people([weight], np.array([], dtype=np.int64))
    assert weight.grad_sample.shape == (0, 3, 2)


def test_records_of_one_person_become_one_share():
    weight: Any = nn.Parameter(torch.zeros(2))
    weight.grad_sample = torch.tensor([[1.0, 0.0], [0.0, 4.0], [3.0, 0.0]])
    join_people([weight], np.array([7, 2, 7]))
    assert weight.grad_sample.tolist() == [[0.0, 4.0], [2.0, 0.0]]


def test_the_secret_decides_the_noise_and_the_seed_does_not():
    data = digits()
    same = [flat(recipe(LOUD).train(data, session())) for _ in range(2)]
    assert torch.equal(*same)
    assert not torch.equal(same[0], flat(recipe(LOUD).train(data, session(secret=SECRET[::-1]))))


def test_the_secret_decides_how_examples_are_varied_and_the_seed_does_not():
    # With variations that follow from a seed which is known, the place of an example in a step
    # would tell who else is in it: one person would move the sum by far more than the clip.
    def varied(secret):
        seen = []

        class Watched(DigitsMLP):
            def augment(self, inputs):
                seen.append(float(torch.rand(1)))
                return inputs

        everybody: dict[str, Any] = {**SMALL, "batch_size": 24, "privacy": LOUD, "epochs": 2}
        Watched(**everybody).train(digits(), session(secret=secret))
        return seen

    one = varied(SECRET)
    assert len(set(one)) == 48
    assert one == varied(SECRET)
    assert not set(one) & set(varied(SECRET[::-1]))


def test_people_are_drawn_each_by_chance_and_apart_from_the_others():
    draws, count, rate, steps = Draws(SECRET), 40, 0.25, 4000
    drawn = np.zeros((steps, count))
    for step in range(steps):
        drawn[step, draws.people(count, rate)] = 1
    # Poisson sampling, which the accountant takes for granted: batches of one size would have no
    # variance, and a shuffle would draw nobody a second time before all.
    assert drawn.mean() == pytest.approx(rate, abs=0.01)
    assert abs(drawn.mean(axis=0) - rate).max() < 0.04
    assert drawn.sum(axis=1).var() == pytest.approx(count * rate * (1 - rate), rel=0.1)
    again = (drawn[1:] * drawn[:-1]).mean()
    assert again == pytest.approx(rate**2, abs=0.01)


def test_a_step_is_on_the_people_that_were_drawn_with_all_their_records():
    people, seen = [place // 3 for place in range(24)], []

    class Watched(DigitsMLP):
        def augment(self, inputs):
            seen.append(inputs.numpy().tobytes())
            return inputs

    data = digits()
    given: dict[str, Any] = {**SMALL, "batch_size": 6, "privacy": LOUD}
    Watched(**given).train(data, session(people))
    owner = {one[0].numpy().tobytes(): people[at] for at, one in enumerate(data)}
    told, draws = [owner[one] for one in seen], Draws(SECRET)
    steps = [draws.people(8, 0.25) for _ in range(4)]
    assert told == [person for step in steps for person in np.repeat(step, 3)]


@pytest.mark.parametrize("secret", [None, b"short"])
def test_without_a_secret_nothing_is_trained(secret):
    with pytest.raises(PrivacyRefused, match="secret of 16 bytes"):
        recipe(LOUD).train(digits(), session(secret=secret))


def test_the_model_that_comes_out_is_a_plain_one():
    model = recipe(LOUD).train(digits(), session())
    assert type(model) is type(recipe(None).build())
    assert not any(module._forward_hooks for module in model.modules())
    assert not any(hasattr(weight, "grad_sample") for weight in model.parameters())


def test_batch_normalisation_is_refused_by_the_names_of_its_layers():
    cnn = DigitsCNN(targets=("0", "1", "2"), epochs=1, privacy=LOUD)
    with pytest.raises(PrivacyRefused, match="normalise over the batch"):
        cnn.train(digits(), session())


def test_a_recipe_that_fits_a_scaler_is_refused():
    with pytest.raises(PrivacyRefused, match="fits a scaler"):
        TabularMLP(targets=("a", "b"), privacy=LOUD, columns=("x",))


def test_a_recipe_with_a_loss_or_a_loop_of_its_own_is_refused():
    class OwnLoss(DigitsMLP):
        def loss(self, outputs, targets):
            return outputs.mean()

    class OwnLoop(DigitsMLP):
        def _fit(self, model, examples, session):
            return model

    for cls, said in ((OwnLoss, "a loss of its own"), (OwnLoop, "a way of its own")):
        with pytest.raises(PrivacyRefused, match=said):
            cls(targets=("0", "1"), privacy=LOUD)


def test_whose_examples_are_must_be_said_of_each():
    with pytest.raises(PrivacyRefused, match="whose 3 examples"):
        recipe(LOUD).train(digits(), session(people=[0, 1, 2]))


def test_an_augmentation_sees_one_example_at_a_time():
    seen = []

    class Watched(DigitsMLP):
        def augment(self, inputs):
            seen.append(len(inputs))
            return inputs

    Watched(targets=("0", "1", "2"), hidden=4, epochs=1, privacy=LOUD).train(digits(), session())
    assert set(seen) == {1}


def test_a_recipe_without_privacy_has_the_description_that_it_always_had():
    assert "privacy" not in recipe(None).describe()["parameters"]
    described = recipe({"clip": 1, "noise": 2.0}).describe()["parameters"]["privacy"]
    assert described == {
        "clip": 1.0,
        "noise": 2.0,
        "epsilon": None,
        "delta": 1e-5,
        "accountant": "rdp",
    }
    assert recipe(described) == recipe(Privacy(clip=1.0, noise=2.0))
