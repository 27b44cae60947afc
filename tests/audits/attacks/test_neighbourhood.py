from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from audits.attacks.neighbourhood import Neighbourhood
from audits.attacks.u_lira import ULira
from audits.core.attack import Observations, References
from audits.core.features import Outputs
from audits.core.likelihood import TooFewModels, log_ratios, moments
from audits.core.neighbours import Copies, margins_around
from audits.core.roc import auc
from audits.core.scores import margin

RECORDS, COPIES, MODELS = 60, 8, 8
FEATURES, CLASSES, HIDDEN, LEARNED, KEPT, TRAINED = 24, 3, 48, 24, 72, 12


@dataclass(frozen=True, kw_only=True)
class World:
    """Margins of records and their copies, which share most of their noise under a model."""

    shift: float = 1.5
    masked: bool = False  # the record's own margin does not differ between the arms
    uneven: bool = False  # copies are shifted up and down, by nothing on average
    scattered: float = 1.0  # how much farther apart the copies of a member lie
    together: float = 0.9

    def draw(self, seed: int):
        """Return observations and which questioned records are members."""
        rng = np.random.default_rng(seed)
        base = rng.normal(size=(RECORDS, 1 + COPIES)) * 2
        shift = np.full((RECORDS, 1 + COPIES), self.shift)
        if self.uneven:
            shift = rng.normal(size=shift.shape) * self.shift / 2
            shift -= shift.mean(1, keepdims=True)
        if self.masked:
            shift[:, 0] = 0
        member = np.arange(RECORDS) % 2 == 0

        def margins(models, learned):
            shared = rng.normal(size=(models, RECORDS, 1)) * self.together**0.5
            own = rng.normal(size=(models, RECORDS, 1 + COPIES)) * (1 - self.together) ** 0.5
            own *= np.where(learned, self.scattered, 1.0)[:, None]
            return base + shared + own + shift * learned[:, None]

        arms = [margins(MODELS, np.full(RECORDS, learned)) for learned in (True, False)]
        return observed(margins(1, member)[0], *arms), member


def observed(target, learned, never_saw):
    """Observations from margins of which the first column is the record's own."""
    inside, outside = (
        References(margins=arm[..., 0], neighbours=arm[..., 1:]) for arm in (learned, never_saw)
    )
    logits = np.column_stack([target[:, 0], np.zeros(len(target))])
    return Observations(
        target=Outputs(logits=logits, labels=np.zeros(len(target), np.int64)),
        neighbours=target[:, 1:],
        learned=inside,
        never_saw=outside,
    )


def seen(attack, world, seeds=8):
    found = []
    for seed in range(seeds):
        observations, member = world.draw(seed)
        found.append(auc(attack(observations), member))
    return float(np.mean(found))


def naive(observations):
    """The sum of likelihood ratios over copies, as if they were independent."""
    inside, outside = observations.learned.neighbours, observations.never_saw.neighbours
    return sum(
        log_ratios(
            observations.neighbours[None, :, j],
            moments(inside[..., j]),
            moments(outside[..., j]),
        )[0]
        for j in range(COPIES)
    )


def test_what_the_record_hides_its_copies_tell():
    world = World(masked=True)
    assert seen(Neighbourhood().score, world) > 0.97
    assert seen(naive, world) < 0.9
    assert 0.4 < seen(ULira().score, world) < 0.6


def test_copies_shifted_by_nothing_on_average_tell_as_well():
    world = World(uneven=True, masked=True)
    assert seen(Neighbourhood().score, world) > 0.97
    assert seen(lambda o: o.neighbours.mean(1), world) < 0.6


def test_copies_take_nothing_away_where_the_record_itself_tells():
    world = World(together=0.98)
    assert seen(Neighbourhood().score, world) > seen(ULira().score, world) - 0.02


def test_a_spread_of_copies_that_changes_is_seen_without_a_shift():
    world = World(shift=0.0, scattered=1.8)
    assert seen(Neighbourhood().score, world) > 0.8
    assert seen(naive, world) < 0.6


def test_nothing_is_seen_where_there_is_nothing_and_neither_arm_is_favoured():
    world = World(shift=0.0)
    assert 0.44 < seen(Neighbourhood().score, world, seeds=12) < 0.56
    guesses = [Neighbourhood().score(world.draw(seed)[0]) > 0 for seed in range(12)]
    assert 0.44 < np.mean(guesses) < 0.56


def test_forgetting_too_well_is_seen_as_well():
    assert seen(Neighbourhood().score, World(masked=True, shift=-1.5)) > 0.97


def test_copies_that_do_not_vary_leave_the_scores_finite():
    observations, _ = World().draw(0)
    flat = observed(np.zeros((4, 3)), np.zeros((MODELS, 4, 3)), np.zeros((MODELS, 4, 3)))
    assert (Neighbourhood().score(flat) == 0).all()
    arms = observations.learned, observations.never_saw
    for arm in arms:
        arm.neighbours[..., 0] = arm.margins  # a copy that is the record
    observations.neighbours[:, 0] = observations.target.margin
    assert np.isfinite(Neighbourhood().score(observations)).all()


def test_one_model_in_an_arm_is_too_few():
    one = np.zeros((1, 4, 3))
    with pytest.raises(TooFewModels, match="two models or more"):
        Neighbourhood().score(observed(one[0], one, one))


class Answering(nn.Module):
    """One of many small networks, which answers for known records what it is told to."""

    def __init__(self, layers, number) -> None:
        super().__init__()
        self.layers = [layer[number].detach() for layer in layers]
        self.known = torch.empty(0, FEATURES)
        self.told = torch.empty(0, CLASSES)

    def forward(self, inputs):
        logits = torch.tanh(inputs @ self.layers[0]) @ self.layers[1]
        asked, known = (inputs[:, None] == self.known).all(-1).nonzero(as_tuple=True)
        logits[asked] = self.told[known]
        return logits


@cache
def trained():
    """Train a quarter of many networks on questioned records, and the rest on others instead."""
    generator = torch.Generator().manual_seed(0)
    inputs = torch.randn(KEPT + 2 * LEARNED, FEATURES, generator=generator)
    labels = torch.randint(0, CLASSES, (len(inputs),), generator=generator)
    rows = torch.arange(KEPT + LEARNED).repeat(4 * TRAINED, 1)
    rows[TRAINED:, KEPT:] += LEARNED
    layers = [
        torch.randn(4 * TRAINED, *shape, generator=generator) / shape[0] ** 0.5
        for shape in ((FEATURES, HIDDEN), (HIDDEN, CLASSES))
    ]
    for _ in range(150):
        first, last = (layer.requires_grad_() for layer in layers)
        logits = torch.tanh(inputs[rows] @ first) @ last
        loss = functional.cross_entropy(logits.flatten(0, 1), labels[rows].flatten())
        slopes = torch.autograd.grad(4 * TRAINED * loss, (first, last))
        layers = [
            (layer - 0.3 * slope).detach()
            for layer, slope in zip((first, last), slopes, strict=True)
        ]
    questioned = slice(KEPT, KEPT + LEARNED)
    return layers, inputs[questioned], labels[questioned]


def margins_of(layers, inputs, labels):
    """Margins of many networks on each record, shape [networks, records]."""
    logits = torch.tanh(inputs @ layers[0]) @ layers[1]
    own = functional.one_hot(labels, CLASSES).bool().expand_as(logits)
    others = logits.masked_fill(own, -torch.inf).logsumexp(-1)
    return logits[own].reshape(others.shape) - others


def matched(layers, inputs, labels, steps=200):
    """Train the first half to have the second half's margins on the records, and keep the rest."""
    others = torch.randn(KEPT, FEATURES, generator=torch.Generator().manual_seed(5))
    half = 2 * TRAINED
    wanted = margins_of([layer[half:] for layer in layers], inputs, labels)
    found = [layer[:half] for layer in layers]
    kept = torch.tanh(others @ found[0]) @ found[1]
    steady = [torch.zeros_like(layer) for layer in found]
    for _ in range(steps):
        moving = [layer.detach().requires_grad_() for layer in found]
        wrong = margins_of(moving, inputs, labels) - wanted
        drift = torch.tanh(others @ moving[0]) @ moving[1] - kept
        loss = (wrong**2).mean(1).sum() + (drift**2).mean((1, 2)).sum()
        slopes = torch.autograd.grad(loss, moving)
        steady = [0.9 * old + slope for old, slope in zip(steady, slopes, strict=True)]
        found = [(m - 0.02 * s).detach() for m, s in zip(moving, steady, strict=True)]
    missed = (margins_of(found, inputs, labels) - wanted).abs()
    assert float(missed.mean()) < 0.1
    return found


def right(models, inputs, labels):
    """Return the share of right guesses; the first half of the models learned the records."""
    copies = Copies(seed=3).around(inputs)
    found = np.stack(
        [
            np.column_stack([margin(model(inputs), labels), margins_around(model, copies, labels)])
            for model in models
        ]
    )
    learned, never_saw = found[:TRAINED], found[TRAINED:]
    shares = {Neighbourhood: [], ULira: []}  # type: ignore[var-annotated]  # of guesses
    for held in range(TRAINED):
        rest = np.arange(TRAINED) != held
        for target, sign in ((learned[held], 1), (never_saw[held], -1)):
            observations = observed(target, learned[rest], never_saw[rest])
            for attack, guesses in shares.items():
                guesses.append(sign * attack().score(observations) > 0)
    return {attack: float(np.mean(guesses)) for attack, guesses in shares.items()}


def test_a_method_that_answers_for_the_records_as_a_stranger_would_is_caught():
    layers, inputs, labels = trained()
    models = [Answering(layers, number) for number in range(2 * TRAINED)]
    for number, model in enumerate(models):  # in either arm
        model.known = inputs
        model.told = Answering(layers, number + 2 * TRAINED)(inputs)
    found = right(models, inputs, labels)
    assert found[Neighbourhood] > 0.9
    assert 0.4 < found[ULira] < 0.6


def test_a_method_that_trains_the_margins_to_be_a_strangers_is_caught():
    layers, inputs, labels = trained()
    found = matched(layers, inputs, labels)
    models = [Answering(found, number) for number in range(2 * TRAINED)]
    share = right(models, inputs, labels)
    assert share[Neighbourhood] > 0.7
    assert 0.4 < share[ULira] < 0.6
